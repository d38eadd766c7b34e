"""How long each request took, by route: told to an observer."""

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.ports.observer import Observer
from scoreboard.web.middleware.response_end import answer_and_tell, route_and_method


class RequestMetrics:
    """Around everything else."""

    def __init__(self, app: ASGIApp, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        def tell(status: int) -> None:
            self._observer.answered(*route_and_method(scope), status, time.perf_counter() - begun)

        await answer_and_tell(self._app, scope, receive, send, tell)
