"""Serving an application over HTTP: sockets, signals, drain. The only file that names uvicorn."""

import asyncio
import errno
import gc
import ipaddress
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, Final

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scoreboard.errors import StartError
from scoreboard.web.stream import TRANSPORT

BACKLOG: Final = 4_096
"""Connections that wait to be taken: browsers come back all at once after a restart."""

FINISH_SECONDS: Final = 10
"""How long requests in flight have at the end."""

log = structlog.get_logger()

GC_THRESHOLDS: Final = (20_000, 50, 100)
"""Python's own make it look through all objects several times a second under load, and stop everything for some 60 ms
each time. Hardly anything here makes reference cycles."""

Drain = Callable[[bool], Awaitable[None]]


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartError, with what to do, where the address cannot be had."""
    listening = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, proto)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        if listening is not None:
            listening.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise StartError(f"{host}:{port} is taken: stop what listens there, or set SCOREBOARD_PORT.") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"{host}:{port} cannot be used ({reason}): set SCOREBOARD_HOST or SCOREBOARD_PORT.") from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listening.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on the fast event loop."""
    uvloop.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


def make_server(application: FastAPI, drain: Drain, started: Callable[[], None]) -> "HttpServer":
    """A server whose `serve` runs until SIGTERM or SIGINT (Ctrl-C), then drains, lets requests finish, and returns.

    `started` is called once connections are taken. `drain` gets whether there is time to be polite (SIGTERM) or
    somebody waits at the terminal (SIGINT). A second signal ends it without waiting.
    """
    config = uvicorn.Config(
        application,
        http=_Protocol,
        ws="none",
        lifespan="off",
        loop="none",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        # It would believe anybody's X-Forwarded-For that the environment tells it to.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    return HttpServer(config, drain, started)


class _Protocol(HttpToolsProtocol):
    """uvicorn's, which shows a stream the transport that it writes to."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {TRANSPORT: self.transport}
        self.scope["extensions"] = extensions


class HttpServer(uvicorn.Server):
    """uvicorn's, which drains before it stops, and whose clean stop is exit 0 and no death by the signal."""

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
            log.info("stopping", polite=polite)
            self._draining = self._loop.create_task(self._drain_and_exit(polite))
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
