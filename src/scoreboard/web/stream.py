"""A stream over plain ASGI: a subscriber that writes through the server's own `send`."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from scoreboard.fanout.hub import Hub
from scoreboard.fanout.subscriber import Subscriber

TRANSPORT: Final = "scoreboard.transport"
"""The scope's extension that is the connection's `asyncio.Transport` (see `server`). Where a server has none, a stream
does without: more is buffered for a slow client, and one that takes nothing is not cut off but waited for."""

BUFFER_BYTES: Final = 4_096
"""What may be buffered for a client before it counts as behind: a few frames, where asyncio's default is 64 KiB."""

HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # Nobody on the way may keep, compress or hold back events (the last one is nginx's).
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class AsgiSubscriber(Subscriber):
    """Writes a frame by running `send` up to its first wait, which it has only where the client takes no bytes.

    So a walk over many subscribers is plain calls: no queue, no task and no wake-up for each of them.
    """

    __slots__ = ("_rest", "_send", "_transport", "closed")

    def __init__(self, send: Send, transport: asyncio.WriteTransport | None) -> None:
        super().__init__()
        self._send = send
        self._transport = transport
        self._rest: asyncio.Task[None] | None = None
        self.closed: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    @property
    def is_behind(self) -> bool:
        return self._rest is not None

    def write(self, data: bytes) -> None:
        sending = self._send({"type": "http.response.body", "body": data, "more_body": True})
        assert isinstance(sending, Coroutine)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        self._rest = asyncio.get_running_loop().create_task(_rest(sending, waits_for))
        self._rest.add_done_callback(self._drained)

    def close(self, last: bytes) -> None:
        if not self.closed.done():
            self.closed.set_result(b"" if self.is_behind else last)
        if self._rest is not None:
            self._rest.cancel()
            if self._transport is not None:
                self._transport.abort()

    def _drained(self, rest: asyncio.Task[None]) -> None:
        self._rest = None
        if not rest.cancelled() and not self.closed.done():
            self.on_drained(self)


class _Rest:
    """The part of a coroutine that is left once it has been run up to its first wait."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        # The future it waits for is handed on to this task as if the task had run the coroutine from the start.
        yield self._waits_for
        yield from self._coroutine.__await__()


async def _rest(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _Rest(coroutine, waits_for)


async def stream(hub: Hub, board: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the events of a board until the client leaves or the hub ends the stream.

    The status is always 200, since a browser's EventSource gives up for good on any other.
    """
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    transport = scope.get("extensions", {}).get(TRANSPORT)
    _limit_buffer(transport, BUFFER_BYTES)
    subscriber = AsgiSubscriber(send, transport)
    subscriber.write(hub.retry())
    leaving = asyncio.create_task(_left(receive))
    hub.join(board, subscriber)
    try:
        await asyncio.wait((leaving, subscriber.closed), return_when=asyncio.FIRST_COMPLETED)
        if subscriber.closed.done():
            await send({"type": "http.response.body", "body": subscriber.closed.result(), "more_body": False})
    finally:
        hub.leave(board, subscriber)
        leaving.cancel()
        # The connection may serve another request.
        _limit_buffer(transport, None)


def _limit_buffer(transport: asyncio.WriteTransport | None, high_bytes: int | None) -> None:
    """None is asyncio's default. uvloop raises on a connection that is closed."""
    if transport is not None and not transport.is_closing():
        transport.set_write_buffer_limits(high=high_bytes)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
