"""An HTTP/1.1 server for ASGI applications, on uvicorn and uvloop."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from starlette.types import ASGIApp

from scoreboard.server.http_server import FINISH_SECONDS, Drain, HttpServer, make_config

__all__ = ["FINISH_SECONDS", "HttpServer", "make_server", "run"]


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on uvloop."""
    uvloop.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


def make_server(
    application: ASGIApp, drain: Drain, started: Callable[[], None], tls: tuple[Path, Path] | None = None
) -> HttpServer:
    """Return a server whose `serve` runs until SIGTERM or SIGINT (Ctrl-C), and then shuts down gracefully.

    `started` is called when the server accepts connections. `drain` gets True if it may take its time
    (SIGTERM), and False if a user waits at the terminal (SIGINT). A second signal ends the server at once.
    `tls` is certificate chain and private key, as PEM files. Raises StartError if loading them fails.
    """
    return HttpServer(make_config(application, tls), drain, started)
