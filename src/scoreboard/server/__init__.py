"""An HTTP/1.1 server for ASGI applications, on uvicorn and uvloop."""

from collections.abc import Coroutine
from typing import Any

import uvloop

from scoreboard.server.http_server import FINISH_SECONDS, HttpServer

__all__ = ["FINISH_SECONDS", "HttpServer", "run"]


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop."""
    uvloop.run(main)
