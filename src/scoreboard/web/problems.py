"""Errors → problem+json (RFC 9457). The one place where they are rendered, and where they meet HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from scoreboard.domain import errors
from scoreboard.domain.errors import RequestError, RetryLater, ScoreboardError, Unauthorized
from scoreboard.web.limits.rate_headers import ADDRESS, PLAYER, SERVER, used_up

MEDIA_TYPE: Final = "application/problem+json"


class BodyNotJson(RequestError):
    """Raised if a body is not JSON."""

    code = "body_not_json"

    def __init__(self) -> None:
        super().__init__("The body is not JSON.")


class BodyIncomplete(RequestError):
    """Raised if the connection ended before the end of the body (RFC 9112, section 8)."""

    code = "body_incomplete"

    def __init__(self) -> None:
        super().__init__("The body has ended too early.")


@dataclass(frozen=True, slots=True)
class FieldMistake:
    """What is wrong with one field of the body, or one parameter."""

    field: str
    message: str


class ValidationFailed(RequestError):
    """Raised if fields of a body, or parameters, do not match the schema."""

    code = "validation_failed"

    def __init__(self, mistakes: Sequence[FieldMistake], more: int = 0) -> None:
        """`more` is the number of further invalid fields."""
        self.mistakes = tuple(mistakes)
        told = "; ".join(f"{mistake.field}: {mistake.message}" for mistake in self.mistakes)
        super().__init__(f"{told}; and {more} more" if more else told)


class BodyTooLarge(RequestError):
    """Raised if a body is larger than the limit."""

    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body has more than {limit} bytes.")


class UnsupportedMediaType(RequestError):
    """Raised if `Content-Type` is not `application/json`."""

    code = "unsupported_media_type"

    def __init__(self) -> None:
        super().__init__("Send JSON: “Content-Type: application/json”.")


class NotFound(RequestError):
    """Raised if a path does not exist."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is nothing here: the API is described at /docs.")


class MethodNotAllowed(RequestError):
    """Raised if a path does not support the method."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Only {allowed} can be used here.")
        self.allowed = allowed


class TokenInQuery(RequestError):
    """Raised if a token is in a URL."""

    code = "token_in_query"

    def __init__(self) -> None:
        super().__init__(
            "A token never stands in an address, where it is logged: send “Authorization: Bearer …”."
        )


class ReadsLimited(RetryLater):
    """Raised if a client address has used up its limit of reads."""

    code = "reads_limited"
    detail = "Too many reads from this address: wait before the next one."


class ServerLimited(RetryLater):
    """Raised if a trusted server has used up its rate limit."""

    code = "server_rate_limited"
    detail = "Too many score updates of this server: wait before the next one."


STATUS: Final[Mapping[type[ScoreboardError], HTTPStatus]] = {
    TokenInQuery: HTTPStatus.BAD_REQUEST,
    BodyNotJson: HTTPStatus.BAD_REQUEST,
    BodyIncomplete: HTTPStatus.BAD_REQUEST,
    ValidationFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.TokenMissing: HTTPStatus.UNAUTHORIZED,
    errors.TokenInvalid: HTTPStatus.UNAUTHORIZED,
    errors.TokenExpired: HTTPStatus.UNAUTHORIZED,
    errors.InsufficientScope: HTTPStatus.FORBIDDEN,
    errors.NotYourScore: HTTPStatus.FORBIDDEN,
    errors.PlayerBanned: HTTPStatus.FORBIDDEN,
    errors.ProofRequired: HTTPStatus.FORBIDDEN,
    errors.ProofInvalid: HTTPStatus.FORBIDDEN,
    errors.ProofRedeemed: HTTPStatus.CONFLICT,
    errors.UnknownPlayer: HTTPStatus.NOT_FOUND,
    errors.UnknownEvent: HTTPStatus.NOT_FOUND,
    errors.EventNotVoidable: HTTPStatus.CONFLICT,
    errors.UnknownBoard: HTTPStatus.NOT_FOUND,
    errors.UnknownAction: HTTPStatus.NOT_FOUND,
    errors.ActionByServer: HTTPStatus.FORBIDDEN,
    errors.PointsNotYours: HTTPStatus.FORBIDDEN,
    errors.NameNotYours: HTTPStatus.FORBIDDEN,
    errors.NameKept: HTTPStatus.CONFLICT,
    errors.PointsOutOfRange: HTTPStatus.CONFLICT,
    errors.ActionDisabled: HTTPStatus.CONFLICT,
    errors.ActionNotYet: HTTPStatus.CONFLICT,
    errors.ActionOver: HTTPStatus.CONFLICT,
    errors.ActionRequires: HTTPStatus.CONFLICT,
    errors.ActionUsedUp: HTTPStatus.CONFLICT,
    errors.ActionCoolingDown: HTTPStatus.CONFLICT,
    errors.ActionUsedUpToday: HTTPStatus.CONFLICT,
    errors.ScoreOutOfRange: HTTPStatus.CONFLICT,
    errors.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    ServerLimited: HTTPStatus.TOO_MANY_REQUESTS,
    ReadsLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.PlayerBusy: HTTPStatus.TOO_MANY_REQUESTS,
    errors.QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ClockUnsure: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KeysUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutcomeUnknown: HTTPStatus.SERVICE_UNAVAILABLE,
}

LIMITS: Final[Mapping[type[ScoreboardError], str]] = {
    errors.RateLimited: PLAYER,
    ReadsLimited: ADDRESS,
    ServerLimited: SERVER,
}
"""Which limit is used up."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is answered."""

    status: int
    document: dict[str, object]
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        body = json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()
        return Response(body, self.status, self.headers, media_type=MEDIA_TYPE)


def problem(error: ScoreboardError) -> Problem:
    """How an error is answered."""
    status = STATUS[type(error)]
    document: dict[str, object] = {
        "type": f"urn:scoreboard:problem:{error.code}",
        "title": status.phrase,
        "status": int(status),
        "code": error.code,
        "detail": str(error),
    }
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if isinstance(error, Unauthorized):
        # RFC 6750, section 3: no error code where there was no token at all.
        missing = isinstance(error, errors.TokenMissing)
        headers["WWW-Authenticate"] = "Bearer" if missing else 'Bearer error="invalid_token"'
    elif isinstance(error, errors.InsufficientScope):
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    elif isinstance(error, RetryLater):
        # Whole seconds: RFC 9110, section 10.2.3.
        headers["Retry-After"] = str(error.retry_after_seconds)
        if type(error) in LIMITS:
            headers["RateLimit"] = used_up(LIMITS[type(error)], error.retry_after_seconds)
    elif isinstance(error, ValidationFailed):
        document["errors"] = [{"field": m.field, "message": m.message} for m in error.mistakes]
    elif isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    elif isinstance(error, BodyTooLarge):
        # Nobody wants to read the rest of it.
        headers["Connection"] = "close"
    elif isinstance(error, errors.InternalError):
        # The server ends the connection after it: whoever sends more on it would get no answer.
        headers["Connection"] = "close"
    return Problem(int(status), document, headers)
