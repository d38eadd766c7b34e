"""FastAPI dependencies of ordinary routes (`api_route` says how to use them)."""

from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from scoreboard.domain import errors
from scoreboard.domain.submissions import Caller
from scoreboard.web import problems, request_parts
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.openapi import json_body

Model = TypeVar("Model", bound=BaseModel)

AUTHENTICATION_ERRORS: Final = (
    errors.TokenMissing(),
    errors.TokenInvalid(),
    errors.TokenExpired(),
    errors.KeysUnavailable(),
)
"""The errors of `Authenticate` without a scope, for `error_responses`."""

BODY_ERRORS: Final = (
    problems.BodyNotJson(),
    problems.BodyIncomplete(),
    problems.BodyTooLarge(request_parts.MAX_BODY_BYTES),
    problems.UnsupportedMediaType(),
)
"""The errors of `JsonBody`, for `error_responses`. Add a ValidationFailed with the route's own fields."""

_BEARER: Final = HTTPBearer(scheme_name="bearer", bearerFormat="JWT", auto_error=False)
"""Describes the token in the OpenAPI document. `Tokens` reads and verifies it."""


class Authenticate:
    """Return the caller that the bearer token names, if the token has a scope (None: any token).

    The request log shows the user. Raises InsufficientScope, and the errors of `Tokens.verify`.
    """

    def __init__(self, tokens: Tokens, scope: str | None = None) -> None:
        self._tokens = tokens
        self._scope = scope

    async def __call__(self, request: Request, _described: Annotated[object, Depends(_BEARER)]) -> Caller:
        caller = (await self._tokens.verify(_headers(request).get(b"authorization"))).caller
        request.scope["state"][USER] = caller.user_id
        if self._scope is not None and self._scope not in caller.scopes:
            raise errors.InsufficientScope(self._scope)
        return caller


async def require_json(request: Request) -> None:
    """Raise UnsupportedMediaType if the body is not declared as JSON, for checks before `JsonBody`."""
    request_parts.check_json(_headers(request))


class IdempotencyKey:
    """Return the header `Idempotency-Key`, if there is one. Raises ValidationFailed."""

    openapi: Final[dict[str, Any]] = {"parameters": [request_parts.IDEMPOTENCY_KEY]}

    async def __call__(self, request: Request) -> str | None:
        return request_parts.idempotency_key(_headers(request))


class JsonBody(Generic[Model]):
    """Read a JSON body of limited size into a model.

    Raises UnsupportedMediaType, BodyTooLarge, BodyIncomplete, BodyNotJson, ValidationFailed.
    """

    def __init__(self, model: type[Model]) -> None:
        self.schemas = [model]
        self.openapi = {"requestBody": json_body(model)}
        self._model = model

    async def __call__(self, request: Request) -> Model:
        headers = _headers(request)
        request_parts.check_json(headers)
        return await request_parts.read_json(self._model, headers, request.receive)


async def no_store(response: Response) -> None:
    """Forbid caches to store the response."""
    response.headers["Cache-Control"] = "no-store"


def _headers(request: Request) -> request_parts.Headers:
    return dict(request.scope["headers"])
