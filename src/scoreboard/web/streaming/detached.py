"""A stream on a connection that has left the HTTP server: nothing is kept for it but this object and its transport.

Bytes go straight to the descriptor. uvloop's own `write` only notes them, and hands them to the kernel for all
connections in one go, later, without letting another thread run: a commit then waits for ten thousand clients. What the
kernel does not take goes to the loop's own writer, and the client is behind until that is through.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from starlette.types import Send

from scoreboard.fanout.frame import Message
from scoreboard.fanout.subscriber import Subscriber

CONNECTION: Final = "scoreboard.connection"
"""The scope's extension that is the request's `Connection`."""

KERNEL_BUFFER_BYTES: Final = 16_384
"""What the kernel may hold for a client (it reckons with twice as much): a dozen frames. By itself it would come to
hold megabytes of old frames for one that has stopped reading, and deliver them all before the newest."""

GOODBYE_SECONDS: Final = 1.0
"""How long a client may take to hear the end."""

MOST_DISCARDED_BYTES: Final = 262_144
"""Bytes that are received and discarded from a client that sends too much. Then it is disconnected."""

LAST_CHUNK: Final = b"0\r\n\r\n"


class Connection(Protocol):
    """What the HTTP server offers besides ASGI, for a response that is a stream."""

    @property
    def transport(self) -> asyncio.Transport:
        """What it writes to."""

    @property
    def send(self) -> Send:
        """What it answers by, past all middleware: events come by the thousand, and have no headers."""

    def begin_stream(self) -> bool:
        """To be called before the response is started; whether its body travels in chunks (RFC 9112, section 7.1)."""

    def detach(self) -> asyncio.Transport | None:
        """Once the response is started, have the server forget the connection, which is then the caller's.

        None where that cannot be: it is closing, or TLS ends in this process. Then the response goes on as before.
        """


class DetachedSubscriber(Subscriber, asyncio.Protocol):
    """The connection's protocol from now on. The stream ends when the client closes the connection."""

    __slots__ = ("_descriptor", "_is_chunked", "_left", "_received_bytes", "_transport")

    def __init__(
        self,
        transport: asyncio.Transport,
        left: Callable[[Subscriber], None],
        *,
        is_chunked: bool,
        takes_patches: bool = False,
        origin: str | None = None,
        until_us: int | None = None,
    ) -> None:
        """`left` is called once the connection is gone, whoever has ended it."""
        super().__init__(takes_patches=takes_patches, origin=origin, until_us=until_us)
        self._transport = transport
        self._left = left
        self._is_chunked = is_chunked
        self._received_bytes = 0
        connection = transport.get_extra_info("socket")
        self._descriptor: int = connection.fileno()
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        transport.set_protocol(self)
        # Its first byte that waits makes a client one that is behind, and its last one that goes ends that.
        transport.set_write_buffer_limits(high=0)
        self.is_behind = transport.get_write_buffer_size() > 0

    def write(self, message: Message) -> None:
        data = message.chunked if self._is_chunked else message.plain
        try:
            taken = os.write(self._descriptor, data)
        except BlockingIOError:
            taken = 0
        except OSError:
            # The client is gone. Whoever walks on must not be kept by it, so the loop tells of it later.
            self._transport.abort()
            return
        if taken < len(data):
            self._transport.write(data[taken:])

    def close(self, last: Message | None) -> None:
        if last is None:
            self._transport.abort()
            return
        # In order after what waits: under uvloop that are, at the very beginning, the headers.
        self._transport.write(last.chunked + LAST_CHUNK if self._is_chunked else last.plain)
        self._transport.close()
        if self.is_behind:
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes > MOST_DISCARDED_BYTES:
            self._transport.abort()

    def pause_writing(self) -> None:
        self.is_behind = True

    def resume_writing(self) -> None:
        self.is_behind = False
        self.on_drained(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        # The descriptor's number is about to be somebody else's.
        self._descriptor = -1
        self._left(self)
