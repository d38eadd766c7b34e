"""uvicorn's server with limits of each connection, and the public server, which drains before it stops."""

import asyncio
import gc
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from scoreboard.background import Failures
from scoreboard.errors import StartError
from scoreboard.listening import BACKLOG
from scoreboard.server import limits
from scoreboard.server.protocol import HttpProtocol
from scoreboard.server.refusal import RefusalLog

FINISH_SECONDS: Final = 10
"""How long requests in flight have at the end."""

KEEP_ALIVE_SECONDS: Final = 75
"""How long a connection may be idle between two requests: longer than the 60 s of nginx and of AWS's ALB, so that they
end it. Where this end does, a POST may be on its way already: it is answered 502, as no balancer sends a POST twice."""

TICKS_A_SECOND: Final = 10
"""How often uvicorn looks around."""

log = structlog.get_logger()

GC_THRESHOLDS: Final = (20_000, 50, 100)
"""Python's own make it look through all objects several times a second under load, and stop everything for some 60 ms
each time. Hardly anything here makes reference cycles."""

Drain = Callable[[bool], Awaitable[None]]


def make_config(application: ASGIApp, tls: tuple[Path, Path] | None = None) -> uvicorn.Config:
    """Return uvicorn's configuration. `tls` is certificate chain and private key, as PEM files.

    Raises StartError if these cannot be used.
    """
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        application,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        # It would believe anybody's X-Forwarded-For that the environment tells it to.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except OSError as error:
        raise StartError(
            f"The TLS certificate or its key cannot be used ({error}): check SCOREBOARD_TLS_CERTIFICATE and "
            "SCOREBOARD_TLS_KEY."
        ) from error
    return config


class LimitedServer(uvicorn.Server):
    """uvicorn's server, whose connections are `HttpProtocol`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._failures = Failures("connections")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections of `sockets`: as uvicorn does, which has no limit for TLS handshakes."""
        loop = asyncio.get_running_loop()
        read_buffer = memoryview(bytearray(limits.READ_BYTES))
        refusals = RefusalLog(loop.time)

        def make_protocol() -> HttpProtocol:
            return HttpProtocol(self.config, self.server_state, read_buffer, refusals)

        self.servers = [
            await loop.create_server(
                make_protocol,
                sock=listening,
                backlog=BACKLOG,
                ssl=self.config.ssl,
                ssl_handshake_timeout=limits.HANDSHAKE_SECONDS if self.config.ssl else None,
            )
            for listening in sockets or ()
        ]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                assert isinstance(connection, HttpProtocol)
                try:
                    connection.refuse_if_slow(now)
                except Exception as error:  # noqa: BLE001  # An error here would end the server.
                    self._failures.report(error)
        return await super().on_tick(counter)


class HttpServer(LimitedServer):
    """The public server. It drains before it stops, and a clean stop is exit 0 and no death by the signal."""

    def __init__(self, config: uvicorn.Config, drain: Drain, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._announce = started
        self._draining: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _calm_the_collector()
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        self._loop.call_soon_threadsafe(self.stop, sig == signal.SIGTERM)

    def stop(self, polite: bool) -> None:
        """What a signal does; to be called on the event loop."""
        if self._draining is None:
            # First: whoever reads the log may be gone, and then telling fails.
            self._draining = self._loop.create_task(self._drain_and_exit(polite))
            log.info("stopping", polite=polite)
        else:
            self.should_exit = True
            self.force_exit = True

    async def _drain_and_exit(self, polite: bool) -> None:
        try:
            await self._drain(polite)
        finally:
            self.should_exit = True


def _calm_the_collector() -> None:
    """What has been made by now stays, so it need not be looked through again."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.collect()
    gc.freeze()
