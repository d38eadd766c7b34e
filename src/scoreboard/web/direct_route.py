"""Routes that FastAPI describes and Starlette's router finds, but that answer by plain ASGI.

FastAPI's dependency machinery costs about as much as all the rest of a POST. A direct route does without it; path,
methods, answers and errors stand in the OpenAPI document like any other's.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from scoreboard.domain.errors import ScoreboardError
from scoreboard.web import problems
from scoreboard.web.limits import rate_headers
from scoreboard.web.limits.rate_headers import Header
from scoreboard.web.schemas.public import ProblemResponse

DirectEndpoint = Callable[[Scope, Receive, Send], Awaitable[None]]

REFERENCE: Final = "#/components/schemas/{model}"

JSON_HEADERS: Final = (b"content-type", b"application/json")


class DirectRoute(APIRoute):
    """A route whose endpoint is plain ASGI; errors of the scoreboard become problems here."""

    def __init__(
        self,
        path: str,
        direct: DirectEndpoint,
        *,
        methods: Sequence[str],
        policies: Sequence[Header] | None = None,
        status_code: int = 200,
        responses: dict[int | str, dict[str, Any]],
        **described: Any,
    ) -> None:
        """`policies`, of a route that may have limits, go with each problem; the endpoint sends them otherwise."""
        if policies is not None:
            responses.setdefault(status_code, {})
            for response in responses.values():
                response["headers"] = {**response.get("headers", {}), **rate_headers.DESCRIBED}
        described |= {"status_code": status_code, "responses": responses}
        super().__init__(path, _described_elsewhere, methods=list(methods), **described)
        self._direct = direct
        self._policies = {name.decode(): value.decode() for name, value in policies or ()}
        if "GET" in methods:
            # As Starlette's own routes do; `methods` of the OpenAPI document stay as given.
            self._answered = {*methods, "HEAD"}
        else:
            self._answered = set(methods)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] not in self._answered:
                raise problems.MethodNotAllowed(", ".join(sorted(self._answered)))
            await self._direct(scope, receive, send)
        except ScoreboardError as error:
            problem = problems.problem(error)
            problem.headers.update(self._policies)
            await problem.response()(scope, receive, send)


async def _described_elsewhere() -> None:
    """Stands where FastAPI looks for parameters: a direct route names its own."""


async def answer(
    send: Send, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = (JSON_HEADERS,)
) -> None:
    """Send a whole response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def reference(schema: type[BaseModel]) -> dict[str, str]:
    """Where a schema stands in the OpenAPI document (`application` puts it there)."""
    return {"$ref": REFERENCE.format(model=schema.__name__)}


def documented(*known: ScoreboardError) -> dict[int | str, dict[str, Any]]:
    """The errors of a route for its OpenAPI description, with an example of each."""
    described: dict[int | str, dict[str, Any]] = {}
    for error in known:
        rendered = problems.problem(error)
        response = described.setdefault(
            rendered.status,
            {
                "description": rendered.document["title"],
                "content": {problems.MEDIA_TYPE: {"schema": reference(ProblemResponse), "examples": {}}},
            },
        )
        response["content"][problems.MEDIA_TYPE]["examples"][error.code] = {"value": rendered.document}
        for name, value in rendered.headers.items():
            if name in _TOLD:
                header = {"description": _TOLD[name], "schema": {"type": "string"}, "example": value}
                response.setdefault("headers", {}).setdefault(name, header)
    return described


_TOLD: Final = {
    "Retry-After": "After how many seconds to try again.",
    "RateLimit": "What is left of a limit: nothing (`r`), for `t` seconds.",
    "WWW-Authenticate": "How to authenticate (RFC 6750).",
}
