"""POST /api/scores"""

import json
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from scoreboard import errors
from scoreboard.commit import Receipt
from scoreboard.interfaces import Clock
from scoreboard.model import RateLimit
from scoreboard.rules import SCORE_FOR_ANYBODY
from scoreboard.scoring import Scoring
from scoreboard.text import check_id
from scoreboard.web import problems
from scoreboard.web.auth import Tokens
from scoreboard.web.direct import JSON_HEADERS, DirectRoute, answer, documented, reference
from scoreboard.web.limiter import Limiter
from scoreboard.web.rate_headers import PLAYER, SERVER, policies
from scoreboard.web.schemas import ID, ScoreRequest, ScoreResponse, read_score_request

MAX_BODY_BYTES: Final = 16_384
"""Fifty times the largest body that makes sense."""

DESCRIPTION: Final = """\
Claim a completed action for the token's own user. The server decides what it is worth.

The answer is given when the event is in the ledger for good. Send an `Idempotency-Key` to be safe when an answer is
lost: a repeat with the same key and body returns the same event, with `Idempotent-Replayed: true`, and counts once."""


def scores_route(
    scoring: Scoring, tokens: Tokens, clock: Clock, *, player_limit: RateLimit, server_limit: RateLimit | None
) -> DirectRoute:
    """The route, over a service and what checks its tokens.

    The service keeps the limit of each player, which is told here; that of each trusted server is kept here.
    """
    limits = policies({PLAYER: player_limit, SERVER: server_limit})
    servers = None if server_limit is None else Limiter(server_limit, clock)

    async def post(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        caller = await tokens.verify(headers.get(b"authorization"))
        if servers is not None and SCORE_FOR_ANYBODY in caller.scopes and (wait_us := servers.take(caller.user_id)):
            raise problems.ServerLimited(wait_us)
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
            raise problems.UnsupportedMediaType
        key = _idempotency_key(headers.get(b"idempotency-key"))
        request = read_score_request(await _read_body(headers.get(b"content-length"), receive))
        receipt = await scoring.submit(caller, request.action_id, request.user_id, key, request.points)
        replayed = [(b"idempotent-replayed", b"true")] if receipt.replayed else []
        await answer(send, 201, _encode(request, receipt), [JSON_HEADERS, *replayed, *limits])

    return DirectRoute(
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
        responses=documented(
            problems.BodyNotJson(),
            problems.BodyIncomplete(),
            errors.TokenMissing(),
            errors.TokenInvalid(),
            errors.TokenExpired(),
            errors.NotYourScore(),
            errors.InsufficientScope("scores:write"),
            errors.ActionByServer(),
            errors.PointsNotYours(),
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
            errors.QueueFull(),
            errors.StoreUnavailable(),
            errors.OutcomeUnknown(),
            errors.KeysUnavailable(),
        ),
        openapi_extra=_OPENAPI,
    )


_OPENAPI: Final[dict[str, Any]] = {
    "security": [{"bearer": []}],
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A value of the client's own for this one submission, such as a random UUID.",
            "schema": ID,
        }
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": reference(ScoreRequest)}}},
}


def _idempotency_key(header: bytes | None) -> str | None:
    """Raises ValidationFailed."""
    if header is None:
        return None
    try:
        return check_id(header.decode())
    except UnicodeDecodeError as error:
        raise problems.ValidationFailed([problems.FieldMistake("Idempotency-Key", "must be UTF-8")]) from error
    except ValueError as error:
        raise problems.ValidationFailed([problems.FieldMistake("Idempotency-Key", str(error))]) from error


async def _read_body(content_length: bytes | None, receive: Receive) -> bytes:
    """Raises BodyTooLarge as soon as it is known, and BodyIncomplete."""
    if content_length is not None and int(content_length) > MAX_BODY_BYTES:
        raise problems.BodyTooLarge(MAX_BODY_BYTES)
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problems.BodyIncomplete
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise problems.BodyTooLarge(MAX_BODY_BYTES)
        if not message.get("more_body", False):
            return body


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
