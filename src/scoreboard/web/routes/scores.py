"""POST /api/scores"""

import json
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from scoreboard.domain import errors
from scoreboard.domain.boards import RateLimit
from scoreboard.domain.submissions import Claim
from scoreboard.services.submit import Submitter
from scoreboard.services.write_queue import Receipt
from scoreboard.web import problems
from scoreboard.web.asgi_route import JSON, AsgiRoute, send_response
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.limits.rate_headers import PLAYER, SERVER, policies
from scoreboard.web.limits.server_limit import ServerLimit
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.openapi import error_responses, reference
from scoreboard.web.provenance import ProvenanceHasher
from scoreboard.web.request_parts import (
    IDEMPOTENCY_KEY,
    MAX_BODY_BYTES,
    check_json,
    idempotency_key,
    parse_json,
    read_body,
)
from scoreboard.web.schemas.scores import ScoreRequest, ScoreResponse

DESCRIPTION: Final = """\
Claim a completed action for the token's own user. The server decides what it is worth.

The answer is given when the event is in the ledger for good. Send an `Idempotency-Key` to be safe when an answer is
lost: a repeat with the same key and body returns the same event, with `Idempotent-Replayed: true`, and counts once."""


def scores_route(
    submitter: Submitter,
    tokens: Tokens,
    origins: ProvenanceHasher,
    *,
    player_limit: RateLimit,
    servers: ServerLimit,
) -> AsgiRoute:
    """Return the route, for a service and its authenticator.

    The service enforces the limit of each player. This route only documents it in the headers.
    """
    limits = policies({PLAYER: player_limit, SERVER: servers.limit})

    async def post(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        caller = await tokens.verify(headers.get(b"authorization"))
        scope["state"][USER] = caller.user_id
        servers.check(caller)
        check_json(headers)
        key = idempotency_key(headers)
        request = parse_json(ScoreRequest, await read_body(headers, receive))
        proof = None if request.proof is None else await tokens.verify_proof(request.proof)
        claim = Claim(request.action_id, request.user_id, request.points, request.name, proof)
        receipt = await submitter.submit(
            caller,
            claim,
            key,
            origins.of(scope, caller, headers.get(b"user-agent")),
        )
        replayed = [(b"idempotent-replayed", b"true")] if receipt.replayed else []
        await send_response(send, 201, _encode(request, receipt), [JSON, *replayed, *limits])

    return AsgiRoute(
        "/api/scores",
        post,
        methods=["POST"],
        policies=limits,
        operation_id="submitScore",
        tags=["scores"],
        summary="Count a completed action",
        description=DESCRIPTION,
        status_code=201,
        response_model=ScoreResponse,
        response_description="It counts.",
        responses=error_responses(
            problems.BodyNotJson(),
            problems.BodyIncomplete(),
            errors.TokenMissing(),
            errors.TokenInvalid(),
            errors.TokenExpired(),
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
            errors.PointsOutOfRange(1, 100),
            errors.ScoreOutOfRange(),
            problems.BodyTooLarge(MAX_BODY_BYTES),
            problems.UnsupportedMediaType(),
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
            errors.KeysUnavailable(),
        ),
        openapi_extra=_OPENAPI,
    )


_OPENAPI: Final[dict[str, Any]] = {
    "security": [{"bearer": []}],
    "parameters": [IDEMPOTENCY_KEY],
    "requestBody": {"required": True, "content": {"application/json": {"schema": reference(ScoreRequest)}}},
}


def _encode(request: ScoreRequest, receipt: Receipt) -> bytes:
    event = receipt.event
    body = json.dumps(
        {
            "eventId": str(event.event_id),
            "board": event.board,
            "userId": request.user_id,
            "actionId": event.action_id,
            "points": event.points,
            "score": event.score,
            "rank": receipt.rank,
            "version": event.version,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return body.encode()
