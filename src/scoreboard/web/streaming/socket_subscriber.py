"""A stream on a connection that was detached from the HTTP server: a subscriber and a transport.

Bytes are written directly to the socket's descriptor. uvloop's `write` would collect them and send them for
all connections in one later step that does not release the GIL: a commit would wait for 10,000 clients. The
transport sends the bytes that the kernel does not accept, and the subscriber is behind until they are sent.
"""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Final

from scoreboard.fanout.encoding import Message
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.subscriber import StreamRequest, Subscriber

KERNEL_BUFFER_BYTES: Final = 16_384
"""Size of the kernel's send buffer (the kernel doubles it): a dozen frames. By default it grows to megabytes,
and a client that resumes reading would get all those old frames before the newest."""

LAST_WRITE_SECONDS: Final = 1.0
"""Time limit for a slow client to receive the end of the stream."""

MAX_DISCARDED_BYTES: Final = 262_144
"""Bytes that are received and discarded from a client that sends too much. Then it is disconnected."""

LAST_CHUNK: Final = b"0\r\n\r\n"


class SocketSubscriber(Subscriber, asyncio.Protocol):
    """The protocol of a detached connection. The stream ends when the client closes the connection."""

    __slots__ = ("_descriptor", "_hub", "_is_chunked", "_received_bytes", "_transport")

    def __init__(
        self, transport: asyncio.Transport, hub: Hub, request: StreamRequest, *, is_chunked: bool
    ) -> None:
        """Take over a transport. The subscriber leaves `hub` when the connection is lost."""
        super().__init__(request)
        self._transport = transport
        self._hub = hub
        self._is_chunked = is_chunked
        self._received_bytes = 0
        connection = transport.get_extra_info("socket")
        self._descriptor: int = connection.fileno()
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        transport.set_protocol(self)
        # `pause_writing` is called for the first unsent byte, `resume_writing` after the last one is sent.
        transport.set_write_buffer_limits(high=0)
        self.is_behind = transport.get_write_buffer_size() > 0

    def write(self, message: Message) -> None:
        data = message.chunked if self._is_chunked else message.plain
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            written = 0
        except OSError:
            # The client has disconnected. The loop calls `connection_lost` later, so this walk continues.
            self._transport.abort()
            return
        if written < len(data):
            self._transport.write(data[written:])

    def close(self, last: Message | None) -> None:
        if last is None:
            self._transport.abort()
            return
        # The transport keeps the order. Under uvloop, the headers may still be unsent at this point.
        self._transport.write(last.chunked + LAST_CHUNK if self._is_chunked else last.plain)
        self._transport.close()
        if self.is_behind:
            asyncio.get_running_loop().call_later(LAST_WRITE_SECONDS, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes > MAX_DISCARDED_BYTES:
            self._transport.abort()

    def pause_writing(self) -> None:
        self.is_behind = True

    def resume_writing(self) -> None:
        self.is_behind = False
        self.on_drained(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        # The system may give the descriptor's number to another connection.
        self._descriptor = -1
        self._hub.leave(self)
