"""A connection in memory, with a request that the application is answering."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scoreboard.server import connection_limits as limits
from scoreboard.server.protocol import HttpProtocol
from scoreboard.server.refusal import RefusalLog
from scoreboard.server.uvicorn_internals import ServerState

REQUEST = b"GET /there HTTP/1.%d\r\nHost: test\r\n\r\n"


class Transport(asyncio.Transport):
    """Records what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 2)})
        self.written = b""
        self.waiting_bytes = 0
        self.is_closed = False
        self.has_ended = False
        self.reads = True

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting_bytes

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


def http_protocol(config: uvicorn.Config, state: ServerState) -> HttpProtocol:
    return HttpProtocol(config, state, memoryview(bytearray(limits.READ_BYTES)), RefusalLog(lambda: 0.0))


def plain_uvicorn(config: uvicorn.Config, state: ServerState) -> HttpToolsProtocol:
    return HttpToolsProtocol(config, state, {})


class OpenRequest:
    """A request whose application has started a response, and waits for `finish` before it returns."""

    def __init__(
        self,
        more: bytes = b"",
        minor_version: int = 1,
        protocol: Callable[[uvicorn.Config, ServerState], HttpToolsProtocol] = plain_uvicorn,
    ) -> None:
        """`more` is received after the request."""
        self.scope: Scope = {}
        self._send: Send | None = None
        self._finished = asyncio.Event()
        self.state = ServerState()
        config = uvicorn.Config(
            self._application, interface="asgi3", ws="none", lifespan="off", log_config=None, access_log=False
        )
        self.protocol = protocol(config, self.state)
        self.transport = Transport()
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(REQUEST % minor_version)
        self.cycle = self.protocol.cycle
        if more:
            self.protocol.data_received(more)

    async def _application(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scope = scope
        self._send = send
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self._finished.wait()

    async def started(self) -> Self:
        """Return when the response has started."""
        await asyncio.sleep(0)
        assert self._send is not None
        return self

    async def send(self, body: bytes, *, more_body: bool = False) -> None:
        assert self._send is not None
        await self._send({"type": "http.response.body", "body": body, "more_body": more_body})

    async def finish(self) -> None:
        """Let the application return."""
        self._finished.set()
        await asyncio.gather(*self.state.tasks)
