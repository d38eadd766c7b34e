"""The metrics server. It runs in a separate thread, so it answers even if the main event loop is blocked."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread

from prometheus_client import CollectorRegistry, make_asgi_app
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scoreboard.server.http_server import LimitedServer, make_config
from scoreboard.server.listen_socket import bind


@contextmanager
def served(registry: CollectorRegistry, host: str, port: int) -> Iterator[int]:
    """Serve /metrics until the end of the block. The system chooses the port if `port` is 0. Raises StartError."""
    with closing(bind(host, port, "SCOREBOARD_METRICS_")) as listening:
        server = LimitedServer(make_config(_application(registry)))
        thread = Thread(target=lambda: asyncio.run(server.serve([listening])), name="metrics", daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def _application(registry: CollectorRegistry) -> ASGIApp:
    """Return the library's application, which fails at some values of `Accept` and at fields that are not UTF-8."""
    application: ASGIApp = make_asgi_app(registry)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [field for field in scope["headers"] if field[1].isascii()]
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await application({**scope, "headers": headers}, receive, noted)
        except Exception:
            if has_begun:
                raise
            await application({**scope, "headers": []}, receive, send)

    return answer
