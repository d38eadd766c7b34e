"""Serving an application over HTTP: sockets, signals, drain. The only file that names uvicorn."""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scoreboard.errors import StartError
from scoreboard.web.stream import ABORT

BACKLOG: Final = 4_096
"""Connections that wait to be taken: browsers come back all at once after a restart."""

FINISH_SECONDS: Final = 10
"""How long requests in flight have at the end."""

SWITCH_SECONDS: Final = 0.0005
"""How long the event loop keeps Python's lock while the commit thread waits for it (by default 5 ms, several times a
commit)."""

log = structlog.get_logger()

Drain = Callable[[bool], Awaitable[None]]


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartError, with what to do, where the address cannot be had."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, proto)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartError(
            f"{host}:{port} cannot be used ({reason}): stop what listens there, or set SCOREBOARD_HOST or SCOREBOARD_PORT."
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on the fast event loop."""
    sys.setswitchinterval(SWITCH_SECONDS)
    import uvloop

    uvloop.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


async def serve(application: FastAPI, listening: socket.socket, drain: Drain, started: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT (Ctrl-C), then drain, let requests finish, and return.

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
    await _Server(config, drain, started).serve(sockets=[listening])


class _Protocol(HttpToolsProtocol):
    """uvicorn's, with a way for a stream to cut off a client that takes nothing any more."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[typeddict-item]


class _Server(uvicorn.Server):
    """uvicorn's, which drains before it stops, and whose clean stop is exit 0 and no death by the signal."""

    def __init__(self, config: uvicorn.Config, drain: Drain, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._announce = started
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop, sig)

    def _stop(self, sig: int) -> None:
        if self._draining is None:
            log.info("stopping", signal=signal.Signals(sig).name)
            self._draining = self._loop.create_task(self._drain_and_exit(sig))
        else:
            self.should_exit = True
            self.force_exit = True

    async def _drain_and_exit(self, sig: int) -> None:
        try:
            await self._drain(sig == signal.SIGTERM)
        finally:
            self.should_exit = True
