"""POST /api/scores"""

import json
from collections.abc import Sequence
from typing import Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.submissions import SubmissionRequest
from scoreboard.services.submit import Submitter
from scoreboard.services.write_queue import Receipt
from scoreboard.settings.catalog import Catalog
from scoreboard.web import problems
from scoreboard.web.api_route import JSON, AsgiRoute
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.dependencies import AUTHENTICATION_ERRORS, BODY_ERRORS
from scoreboard.web.limits.rate_headers import PLAYER, SERVER, Header, policies
from scoreboard.web.limits.server_limit import ServerLimit
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.openapi import error_responses, json_body
from scoreboard.web.provenance import ProvenanceHasher
from scoreboard.web.request_parts import IDEMPOTENCY_KEY, check_json, idempotency_key, read_json
from scoreboard.web.schemas.scores import ScoreRequest, ScoreResponse

DESCRIPTION: Final = """\
Submit a completed action for the token's user. The server decides how many points it is worth.

The response is sent once the event is durable. Send an `Idempotency-Key`, so that the request can be repeated
if the response is lost: with the same key and body, it returns the same event with `Idempotent-Replayed:
true`, and counts once."""

_ERRORS: Final = (
    *AUTHENTICATION_ERRORS,
    *BODY_ERRORS,
    errors.NotYourScore(),
    errors.InsufficientScope("scores:write"),
    errors.ActionByServer(),
    errors.PointsNotYours(),
    errors.NameNotYours(),
    errors.ProofRequired(),
    errors.ProofInvalid(),
    errors.ProofRedeemed(),
    errors.PlayerBanned(),
    errors.UnknownAction("no-such-action"),
    errors.ActionDisabled(),
    errors.ActionNotYet(3_600_000_000),
    errors.ActionOver(),
    errors.ActionRequires("first-login"),
    errors.ActionUsedUp(1),
    errors.ActionCoolingDown(30_000_000),
    errors.ActionUsedUpToday(3_600_000_000),
    errors.ActionUsedUpPeriod("week", 3, 3_600_000_000),
    errors.BoardNotOpen(3_600_000_000),
    errors.BoardClosed(),
    errors.PeriodOver("2026-W48", ["all", "2026-W49"]),
    errors.PointsRequired(),
    errors.PointsOutOfRange(1, 100),
    errors.ColumnRequired("time"),
    errors.ColumnOutOfRange("time", 1, 3_600),
    errors.UnknownColumn("speed"),
    errors.ScoreOutOfRange(),
    problems.ValidationFailed([problems.FieldMistake("userId", "Field required")]),
    errors.IdempotencyKeyReused(),
    errors.RateLimited(42_000_000),
    problems.ServerLimited(1_000_000),
    errors.PlayerBusy(),
    errors.InternalError(),
    errors.QueueFull(),
    errors.StoreUnavailable(),
    errors.OutcomeUnknown(),
    errors.ClockUnsure(30_000_000),
)


def scores_route(
    catalog: Catalog,
    submitter: Submitter,
    tokens: Tokens,
    provenance: ProvenanceHasher,
    player_limit: RateLimit,
    server_limit: ServerLimit,
) -> AsgiRoute:
    """Return the route. It names the limit of players in its headers; the commit enforces that limit."""
    limits = policies({PLAYER: player_limit, SERVER: server_limit.limit})

    async def post(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        caller = (await tokens.verify(headers.get(b"authorization"))).caller
        scope["state"][USER] = caller.user_id
        server_limit.check(caller)
        check_json(headers)
        key = idempotency_key(headers)
        body = await read_json(ScoreRequest, headers, receive)
        proof = None if body.proof is None else await tokens.verify_proof(body.proof)
        request = SubmissionRequest(
            body.action_id, body.user_id, body.points, body.name, proof, body.columns, body.period
        )
        sender = provenance.of(scope, caller, headers.get(b"user-agent"))
        receipt = await submitter.submit(caller, request, key, sender)
        response = _response(request, receipt)
        if receipt.event.columns:
            columns = catalog.boards[receipt.event.board].definition.columns
            response["columns"] = {
                column.id: value for column, value in zip(columns, receipt.event.columns, strict=True)
            }
        if receipt.periods:
            response["periods"] = {
                period: {"score": result.score, "rank": result.rank}
                for period, result in receipt.periods.items()
            }
        await _respond(send, response, receipt, limits)

    return AsgiRoute(
        "/api/scores",
        post,
        methods=["POST"],
        policies=limits,
        operation_id="submitScore",
        tags=["scores"],
        summary="Submit a completed action",
        description=DESCRIPTION,
        status_code=201,
        response_model=ScoreResponse,
        response_description="The action counts.",
        responses=error_responses(*_ERRORS),
        schemas=[ScoreRequest],
        openapi_extra={
            "security": [{"bearer": []}],
            "parameters": [IDEMPOTENCY_KEY],
            "requestBody": json_body(ScoreRequest),
        },
    )


def _response(request: SubmissionRequest, receipt: Receipt) -> dict[str, object]:
    event = receipt.event
    return {
        "eventId": str(event.event_id),
        "board": event.board,
        "userId": request.user_id,
        "actionId": event.action_id,
        "points": event.points,
        "score": event.score,
        "rank": receipt.rank,
        "version": event.version,
    }


async def _respond(
    send: Send, response: dict[str, object], receipt: Receipt, limits: Sequence[Header]
) -> None:
    body = json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode()
    replayed = [(b"idempotent-replayed", b"true")] if receipt.replayed else []
    headers = [JSON, *replayed, *limits, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body})
