"""`AsgiRoute`: a route for the hot paths, without FastAPI's dependencies, validation and serialization.

These cost about as much as the rest of a POST. All other routes are an `ApiRoute`.
"""

from collections.abc import Sequence
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.domain.errors import ScoreboardError
from scoreboard.web import problems
from scoreboard.web.api_route import ApiRoute

JSON: Final = (b"content-type", b"application/json")


class AsgiRoute(ApiRoute):
    """A route whose endpoint is an ASGI application. It may raise any `ScoreboardError`.

    The OpenAPI document has the route as it is described, since the endpoint has no parameters to read it
    from.
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


async def send_response(
    send: Send, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = (JSON,)
) -> None:
    """Send a whole response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
