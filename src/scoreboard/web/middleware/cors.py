"""Who may call from another origin: anybody reads, and only those who are named write."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

EXPOSED: Final = ("Retry-After", "RateLimit", "RateLimit-Policy")
"""What a page of another origin may see of any answer: when it may try again, and what limits there are."""

ANY_HEADER: Final = ("*",)
"""Tracing adds headers to every request (`traceparent`, `sentry-trace`, …). Allowing all headers is safe: the only
credential is a bearer token, which a browser never adds on its own."""


class Cors:
    """Two of Starlette's, by path."""

    def __init__(self, app: ASGIApp, write_origins: Sequence[str]) -> None:
        self._app = app
        self._reads = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=ANY_HEADER,
            expose_headers=["ETag", *EXPOSED],
        )
        self._writes = CORSMiddleware(
            app,
            allow_origins=write_origins,
            allow_methods=["POST"],
            allow_headers=ANY_HEADER,
            expose_headers=["Idempotent-Replayed", "WWW-Authenticate", *EXPOSED],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(("/api/leaderboard", "/static/")):
            await self._reads(scope, receive, send)
        else:
            await self._writes(scope, receive, send)
