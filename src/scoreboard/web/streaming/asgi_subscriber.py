"""A stream over plain ASGI: a subscriber that writes through the server's `send`."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

from starlette.types import Send

from scoreboard.fanout.encoding import Message
from scoreboard.fanout.subscriber import StreamRequest, Subscriber


class AsgiSubscriber(Subscriber):
    """Writes by running `send` up to its first wait. It waits only if the client reads nothing.

    So a walk over many subscribers consists of plain calls, without a queue, a task or a wake-up for each.
    """

    __slots__ = ("_send", "_transport", "_unsent", "closed")

    def __init__(self, send: Send, transport: asyncio.WriteTransport | None, request: StreamRequest) -> None:
        super().__init__(request)
        self._send = send
        self._transport = transport
        self._unsent: asyncio.Task[None] | None = None
        self.closed: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()

    def write(self, message: Message) -> None:
        # The server makes the chunks.
        sending = self._send({"type": "http.response.body", "body": message.plain, "more_body": True})
        assert isinstance(sending, Coroutine)
        try:
            awaited = sending.send(None)
        except StopIteration:
            return
        self.is_behind = True
        self._unsent = asyncio.get_running_loop().create_task(_finish(sending, awaited))
        self._unsent.add_done_callback(self._on_sent)

    def close(self, last: Message | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None if self.is_behind else last)
        if self._unsent is not None:
            self._unsent.cancel()
            if self._transport is not None:
                self._transport.abort()

    def _on_sent(self, unsent: asyncio.Task[None]) -> None:
        self._unsent = None
        self.is_behind = False
        if not unsent.cancelled() and not self.closed.done():
            self.on_drained(self)


class _Remainder:
    """The remainder of a coroutine that has run up to its first wait."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, None]:
        # Yield the awaited future to this task, as if the task had run the coroutine from the start.
        yield self._awaited
        yield from self._coroutine.__await__()


async def _finish(coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
    await _Remainder(coroutine, awaited)
