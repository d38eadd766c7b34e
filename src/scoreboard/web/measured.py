"""How long each request took, by route: told to an observer."""

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scoreboard.observer import Observer

OTHER: Final = "other"
"""All paths that lead nowhere, and all odd methods: each by itself would be a name that anybody can make up."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """Around everything else. A request is over when its response has ended, or, of a stream, begun."""

    def __init__(self, app: ASGIApp, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status: int | None = None
        is_told = False

        def tell() -> None:
            nonlocal is_told
            if not is_told:
                is_told = True
                method = scope["method"] if scope["method"] in METHODS else OTHER
                route = getattr(scope.get("route"), "path", OTHER)
                self._observer.answered(route, method, status or 500, time.perf_counter() - begun)

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message.get("more_body"):
                tell()
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            tell()
