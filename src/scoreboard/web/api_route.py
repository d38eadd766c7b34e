"""`ApiRoute`: a FastAPI route with the error format, methods and headers of this API. `AsgiRoute`: the same
for the hot paths, where FastAPI's dependencies, validation and serialization cost as much as a POST.

How to write a route (`routes/players.py` is an example):

    def things_routes(things: Things, tokens: Tokens) -> list[BaseRoute]:
        router = APIRouter(prefix="/api/things", tags=["things"], route_class=ApiRoute)
        administrator = Authenticate(tokens, ADMINISTER)

        @router.post(
            "/rename",
            operation_id="renameThing",
            summary="Rename a thing",
            responses=error_responses(*AUTHENTICATION_ERRORS, *BODY_ERRORS, UnknownThing("no-such-thing")),
        )
        async def rename(
            caller: Annotated[Caller, Depends(administrator)],
            request: Annotated[RenameRequest, Depends(JsonBody(RenameRequest))],
        ) -> RenameResponse:
            return await things.rename(caller, request.name)

        return router.routes

- Raise a `ScoreboardError` anywhere: `problems` renders it with its status and code. Name it in `responses`,
  with `error_responses`, so that the OpenAPI document shows it.
- Dependencies run in this order: those of the router, those of the decorator, then those of the parameters
  from left to right. The first error ends the request. Put authentication and limits first.
- Read a body with `JsonBody`, never with a plain model as parameter: FastAPI would read such a body before it
  runs any dependency, with its own limits and errors. Declare query parameters as `Annotated[Model,
  Query()]`: they are checked after all dependencies, and a mistake becomes `validation_failed`.
- The module `dependencies` has `Authenticate`, `require_json`, `IdempotencyKey`, `JsonBody` and `no_store`.
- A route for GET also answers HEAD.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.utils import deep_dict_update
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.domain.errors import ScoreboardError
from scoreboard.web import problems
from scoreboard.web.limits import rate_headers
from scoreboard.web.limits.rate_headers import Header
from scoreboard.web.request_parts import validation_failed

JSON: Final = (b"content-type", b"application/json")


class ApiRoute(APIRoute):
    """A FastAPI route that renders errors as problem+json, and answers HEAD like GET."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        policies: Sequence[Header] | None = None,
        schemas: Sequence[type[BaseModel]] = (),
        status_code: int | None = None,
        responses: dict[int | str, dict[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        """Create a route.

        `policies` are the headers of the route's rate limits, which every response has; None: the route has
        no limits. `schemas` are those of the OpenAPI document that FastAPI does not find by itself. A
        dependency adds its own attributes `schemas` and `openapi` to the description. All other options are
        FastAPI's.
        """
        responses = {} if responses is None else responses
        if policies is not None:
            responses.setdefault(status_code or 200, {})
            for response in responses.values():
                response["headers"] = {**response.get("headers", {}), **rate_headers.OPENAPI}
        self._policies = {name.decode(): value.decode() for name, value in policies or ()}
        super().__init__(path, endpoint, status_code=status_code, responses=responses, **options)
        methods = self.methods or set()
        self.answered_methods = methods | {"HEAD"} if "GET" in methods else methods
        self.schemas = [*schemas]
        self.openapi_extra = {**(self.openapi_extra or {})}
        for dependency in self.dependant.dependencies:
            self.schemas += getattr(dependency.call, "schemas", ())
            deep_dict_update(self.openapi_extra, getattr(dependency.call, "openapi", {}))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await handler(request)
            except RequestValidationError as error:
                return self.problem(validation_failed(error.errors(), depth=1))
            except ScoreboardError as error:
                return self.problem(error)
            response.headers.update(self._policies)
            return response

        return handle

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in self.answered_methods:
            error = problems.MethodNotAllowed(", ".join(sorted(self.answered_methods)))
            await self.problem(error)(scope, receive, send)
        elif scope["method"] == "HEAD":
            # The server leaves out the body of the response.
            await super().handle({**scope, "method": "GET"}, receive, send)
        else:
            await super().handle(scope, receive, send)

    def problem(self, error: ScoreboardError) -> Response:
        """Return the response for an error."""
        problem = problems.problem(error)
        problem.headers.update(self._policies)
        return problem.response()


class AsgiRoute(ApiRoute):
    """A route whose endpoint is an ASGI application. It may raise any `ScoreboardError`.

    The endpoint has no parameters, so the options describe the route in the OpenAPI document.
    """

    def __init__(self, path: str, endpoint: ASGIApp, **options: Any) -> None:
        """Create a route. The endpoint sends the headers `policies` itself, except with an error."""
        super().__init__(path, _without_parameters, **options)
        self._asgi_endpoint = endpoint

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] not in self.answered_methods:
                raise problems.MethodNotAllowed(", ".join(sorted(self.answered_methods)))
            await self._asgi_endpoint(scope, receive, send)
        except ScoreboardError as error:
            await self.problem(error)(scope, receive, send)


async def _without_parameters() -> None:
    """The endpoint that FastAPI sees."""
