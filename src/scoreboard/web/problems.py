"""Renders errors as problem+json (RFC 9457), and the errors that only HTTP requests have."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from scoreboard.domain import errors
from scoreboard.domain.errors import RequestError, RetryLater, ScoreboardError
from scoreboard.web.limits.rate_headers import ADDRESS, PLAYER, SERVER, used_up

MEDIA_TYPE: Final = "application/problem+json"


class BodyNotJson(RequestError):
    """Raised if a body is not JSON."""

    code = "body_not_json"
    detail = "The body is not valid JSON: send a JSON object."


class BodyIncomplete(RequestError):
    """Raised if the connection ended before the end of the body (RFC 9112, section 8)."""

    code = "body_incomplete"
    detail = "The body is incomplete: send the request again."


@dataclass(frozen=True, slots=True)
class FieldMistake:
    """An invalid field of a body, or an invalid parameter."""

    field: str
    message: str


class ValidationFailed(RequestError):
    """Raised if fields of a body, or parameters, do not match the schema."""

    code = "validation_failed"

    def __init__(self, mistakes: Sequence[FieldMistake], more: int = 0) -> None:
        """`more` is the number of further invalid fields."""
        self.mistakes = tuple(mistakes)
        detail = "; ".join(f"{mistake.field}: {mistake.message}" for mistake in self.mistakes)
        super().__init__(f"{detail}; and {more} more" if more else detail)


class BodyTooLarge(RequestError):
    """Raised if a body is larger than the limit."""

    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is too large: send at most {limit} bytes.")


class UnsupportedMediaType(RequestError):
    """Raised if `Content-Type` is not `application/json`."""

    code = "unsupported_media_type"
    detail = "The body is not declared as JSON: send “Content-Type: application/json”."


class NotFound(RequestError):
    """Raised if a path does not exist."""

    code = "not_found"
    detail = "This path does not exist: the API is described at /docs."


class MethodNotAllowed(RequestError):
    """Raised if a path does not support the method."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        """`allowed` are the methods that the path allows."""
        super().__init__(f"This path does not allow the method: use {allowed}.")
        self.allowed = allowed


class TokenInQuery(RequestError):
    """Raised if a token is in a URL."""

    code = "token_in_query"
    detail = (
        "The URL contains a token, and URLs are logged: send the token as “Authorization: Bearer …” instead."
    )


class CursorInvalid(RequestError):
    """Raised if a cursor is not one of this board."""

    code = "cursor_invalid"
    detail = "The cursor is not one of this board: begin with an empty one."


class ConflictingParameters(RequestError):
    """Raised if a request has two parameters of which only one may be used."""

    code = "conflicting_parameters"

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"The parameters “{first}” and “{second}” exclude each other: use one of them.")


class ReadsLimited(RetryLater):
    """Raised if a client address has used up its limit of reads."""

    code = "reads_limited"
    detail = "Too many reads from this address: wait before the next one."


class ServerLimited(RetryLater):
    """Raised if a trusted server has used up its rate limit."""

    code = "server_rate_limited"
    detail = "Too many requests of this server: wait before the next one."


_BY_STATUS: Final[Mapping[HTTPStatus, Sequence[type[ScoreboardError]]]] = {
    HTTPStatus.BAD_REQUEST: [
        BodyIncomplete, BodyNotJson, ConflictingParameters, CursorInvalid, TokenInQuery
    ],
    HTTPStatus.UNAUTHORIZED: [errors.TokenExpired, errors.TokenInvalid, errors.TokenMissing],
    HTTPStatus.FORBIDDEN: [
        errors.ActionByServer, errors.InsufficientScope, errors.NameNotYours, errors.NotYourScore,
        errors.PlayerBanned, errors.PointsNotYours, errors.ProofInvalid, errors.ProofRequired,
    ],
    HTTPStatus.NOT_FOUND: [
        NotFound, errors.UnknownAction, errors.UnknownBoard, errors.UnknownEvent,
        errors.UnknownPeriod, errors.UnknownPlayer,
    ],
    HTTPStatus.METHOD_NOT_ALLOWED: [MethodNotAllowed],
    HTTPStatus.CONFLICT: [
        errors.ActionCoolingDown, errors.ActionDisabled, errors.ActionNotYet, errors.ActionOver,
        errors.ActionRequires, errors.ActionUsedUp, errors.ActionUsedUpPeriod,
        errors.ActionUsedUpToday, errors.BoardClosed, errors.BoardNotOpen, errors.ColumnOutOfRange,
        errors.ColumnRequired, errors.EventNotVoidable, errors.NameKept, errors.NotAdjustable,
        errors.PeriodOver, errors.PointsOutOfRange, errors.PointsRequired, errors.ProofRedeemed,
        errors.ScoreOutOfRange, errors.UnknownColumn,
    ],
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: [BodyTooLarge],
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: [UnsupportedMediaType],
    HTTPStatus.UNPROCESSABLE_ENTITY: [ValidationFailed, errors.IdempotencyKeyReused],
    HTTPStatus.TOO_MANY_REQUESTS: [errors.PlayerBusy, errors.RateLimited, ReadsLimited, ServerLimited],
    HTTPStatus.INTERNAL_SERVER_ERROR: [errors.InternalError],
    HTTPStatus.SERVICE_UNAVAILABLE: [
        errors.ClockUnsure, errors.KeysUnavailable, errors.OutcomeUnknown, errors.QueueFull,
        errors.RankingUnavailable, errors.StoreUnavailable, errors.TooManyViews,
    ],
}  # fmt: skip

STATUS: Final = {error: status for status, kinds in _BY_STATUS.items() for error in kinds}
"""The status of each error."""

LIMITS: Final[Mapping[type[ScoreboardError], str]] = {
    errors.RateLimited: PLAYER,
    ReadsLimited: ADDRESS,
    ServerLimited: SERVER,
}
"""The limits that errors are about, by their names in the header `RateLimit`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The response for an error: a JSON document and headers."""

    status: int
    document: dict[str, object]
    headers: dict[str, str]

    def response(self) -> Response:
        body = json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()
        return Response(body, self.status, self.headers, media_type=MEDIA_TYPE)


def problem(error: ScoreboardError) -> Problem:
    """Render an error."""
    status = STATUS[type(error)]
    document: dict[str, object] = {
        "type": f"urn:scoreboard:problem:{error.code}",
        "title": status.phrase,
        "status": int(status),
        "code": error.code,
        "detail": str(error),
    }
    if isinstance(error, ValidationFailed):
        document["errors"] = [{"field": m.field, "message": m.message} for m in error.mistakes]
    return Problem(int(status), document, {"Cache-Control": "no-store", **_headers(error)})


def _headers(error: ScoreboardError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, errors.TokenMissing):
        # Without a token, there is no error code (RFC 6750, section 3).
        headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    elif isinstance(error, errors.InsufficientScope):
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    elif isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.retry_after_seconds)
        if type(error) in LIMITS:
            headers["RateLimit"] = used_up(LIMITS[type(error)], error.retry_after_seconds)
    elif isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    elif isinstance(error, BodyTooLarge | errors.InternalError):
        # The server does not read the rest of a body, and closes the connection after an internal error.
        headers["Connection"] = "close"
    return headers


def http_problem(error: HTTPException) -> Problem:
    """Render an error of the router."""
    if error.status_code == 404:
        return problem(NotFound())
    if error.status_code == 405:
        # The router names the methods in any order.
        allowed = (error.headers or {}).get("Allow", "another method")
        return problem(MethodNotAllowed(", ".join(sorted(allowed.split(", ")))))
    return problem(errors.InternalError())
