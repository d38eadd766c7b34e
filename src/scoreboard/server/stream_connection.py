"""The connection of a request whose response is a stream."""

import asyncio
import sys
from typing import TYPE_CHECKING, cast

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.utils import is_ssl

if TYPE_CHECKING:
    from scoreboard.server.protocol import HttpProtocol


class Detached(Exception):
    """Passed to uvicorn as the reason of a lost connection: uvicorn then does not close the transport."""


class StreamConnection:
    """The `web.streaming.connection.Connection` of one request."""

    __slots__ = ("_cycle", "_protocol")

    def __init__(self, protocol: "HttpProtocol", cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle

    @property
    def transport(self) -> asyncio.Transport:
        return self._protocol.transport

    @property
    def send(self) -> Send:
        return cast(Send, self._cycle.send)

    @property
    def _can_detach(self) -> bool:
        return not is_ssl(self.transport)

    def begin_stream(self) -> bool:
        self._protocol.begin_stream(self._cycle)
        if self._cycle.scope["http_version"] != "1.0" or not self._can_detach:
            return True
        # uvicorn would send chunks, which HTTP/1.0 does not support, or enforce a content length.
        self._cycle.chunked_encoding = False
        self._cycle.expected_content_length = sys.maxsize
        return False

    def detach(self) -> asyncio.Transport | None:
        transport = self.transport
        if transport.is_closing() or not self._can_detach:
            return None
        self._protocol.connection_lost(Detached())
        return transport
