"""The metrics server. It runs in a separate thread, so it answers even if the main event loop is blocked."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread

from prometheus_client import CollectorRegistry, make_asgi_app
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.server.http_server import LimitedServer, make_config
from scoreboard.server.listen_socket import bind


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Iterator[int]:
    """Serve /metrics during the block. Yield the port, which the system chooses for 0. Raises StartError."""
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
    """Return the library's application, without the header fields at which it fails."""
    application: ASGIApp = make_asgi_app(registry)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # The library decodes all fields as UTF-8.
        headers = [field for field in scope["headers"] if field[1].isascii()]
        try:
            choose_encoder(",".join(value.decode() for name, value in headers if name == b"accept"))
        except TypeError:
            # A version that is not a number: the library compares it with a number.
            headers = [field for field in headers if field[0] != b"accept"]
        await application({**scope, "headers": headers}, receive, send)

    return answer
