"""CORS: pages of any origin may read boards, and pages of the configured origins may write."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXPOSED_HEADERS: Final = ("Retry-After", "RateLimit", "RateLimit-Policy")
"""Response headers that scripts of other origins may read: the time to retry, and the limits."""

ANY_HEADER: Final = ("*",)
"""Tracing libraries add headers to every request (`traceparent`, `sentry-trace`, …). To allow all headers is
safe: the only credential is a bearer token, which a browser does not add by itself."""


class Cors:
    """Starlette's CORS middleware, with one policy for paths that anybody may read and one for the others."""

    def __init__(self, app: ASGIApp, write_origins: Sequence[str]) -> None:
        self._app = app
        self._reads = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=ANY_HEADER,
            expose_headers=["ETag", *EXPOSED_HEADERS],
        )
        self._writes = CORSMiddleware(
            app,
            allow_origins=write_origins,
            allow_methods=["POST"],
            allow_headers=ANY_HEADER,
            expose_headers=["Idempotent-Replayed", "WWW-Authenticate", *EXPOSED_HEADERS],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_vary(message: Message) -> None:
            """Add what Starlette adds to such a response, at a quarter of the cost."""
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                others = [header for header in headers if header[0] != b"vary"]
                varies = [value for name, value in headers if name == b"vary"]
                message["headers"] = [*others, (b"vary", b", ".join([*varies, b"Origin"]))]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not any(name == b"origin" for name, _ in scope["headers"]):
            await self._app(scope, receive, send_with_vary)
        elif scope["path"].startswith(("/api/leaderboard", "/api/boards", "/static/")):
            await self._reads(scope, receive, send)
        else:
            await self._writes(scope, receive, send)
