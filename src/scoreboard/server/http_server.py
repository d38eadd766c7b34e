"""HTTP servers: one with limits for each connection, and the public server with graceful shutdown."""

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import SIGTERM
from typing import Final

import structlog
from starlette.types import ASGIApp

from scoreboard.domain.errors import StartError
from scoreboard.resilience.failures import Failures
from scoreboard.server import connection_limits as limits
from scoreboard.server.listen_socket import BACKLOG
from scoreboard.server.protocol import HttpProtocol
from scoreboard.server.refusal import RefusalLog
from scoreboard.server.uvicorn_internals import Config, UvicornServer
from scoreboard.settings.file_permissions import check_writers

FINISH_SECONDS: Final = 10
"""Time limit of requests in flight at shutdown."""

KEEP_ALIVE_SECONDS: Final = 75
"""Time limit of an idle connection: longer than the 60 s of nginx and of AWS's ALB, so that they close it. If
the server closes it, a POST may already be on its way. The balancer does not resend a POST, and answers
502."""

log = structlog.get_logger()

GC_THRESHOLDS: Final = (20_000, 50, 100)
"""With Python's defaults, a full collection runs several times a second under load, and pauses the process
for about 60 ms each time. Few objects here are in reference cycles."""

Drain = Callable[[bool], Awaitable[None]]

Tls = tuple[Path, Path]
"""The certificate chain and the private key, as PEM files."""


def make_config(application: ASGIApp, tls: Tls | None = None) -> Config:
    """Return uvicorn's configuration. Raises StartError if the files of `tls` cannot be used."""
    certificate, key = tls or (None, None)
    for file in tls or ():
        check_writers(file, "the TLS file")
    config = Config(
        application,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        # By default, the environment decides whose X-Forwarded-For uvicorn trusts.
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


class LimitedServer(UvicornServer):
    """A server with `HttpProtocol` connections."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._failures = Failures("connections")

    async def listen(self, bound: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        read_buffer = memoryview(bytearray(limits.READ_BYTES))
        refusals = RefusalLog(loop.time)

        def make_protocol() -> HttpProtocol:
            return HttpProtocol(self.config, self.server_state, read_buffer, refusals)

        return await loop.create_server(
            make_protocol,
            sock=bound,
            backlog=BACKLOG,
            ssl=self.config.ssl,
            ssl_handshake_timeout=limits.HANDSHAKE_SECONDS if self.config.ssl else None,
        )

    def check_connections(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            assert isinstance(connection, HttpProtocol)
            try:
                connection.refuse_if_slow(now)
            except Exception as error:  # noqa: BLE001  # An error here would end the server.
                self._failures.report(error)


class HttpServer(LimitedServer):
    """The public server: `serve` runs until SIGTERM or SIGINT (Ctrl-C), and then shuts down gracefully.

    A second signal ends it at once. A clean stop exits with 0, not by the signal.
    """

    def __init__(
        self, application: ASGIApp, drain: Drain, started: Callable[[], None], tls: Tls | None = None
    ) -> None:
        """Create the server. Raises StartError if the files of `tls` cannot be used.

        `started` is called when the server accepts connections. `drain` gets True if it may take its time
        (SIGTERM), and False if a user waits at the terminal (SIGINT).
        """
        super().__init__(make_config(application, tls))
        self._drain = drain
        self._announce = started
        self._draining: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _reduce_full_collections()
        self._announce()

    def handle_signal(self, signal: int) -> None:
        self._loop.call_soon_threadsafe(self.stop, signal == SIGTERM)

    def stop(self, polite: bool) -> None:
        """Handle a signal. Called on the event loop."""
        if self._draining is None:
            # A balancer must not send a POST on an idle connection at the moment that it is closed.
            self.server_state.is_draining = True
            # First, because logging fails if the log's reader has exited.
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


def _reduce_full_collections() -> None:
    """Freeze the objects that exist now: they are permanent, so the collector need not visit them again."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.collect()
    gc.freeze()
