"""A stream over plain ASGI: a subscriber that writes through the server's own `send`."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

from starlette.types import Send

from scoreboard.fanout.frame import Message
from scoreboard.fanout.subscriber import Subscriber


class AsgiSubscriber(Subscriber):
    """Writes a frame by running `send` up to its first wait, which it has only where the client takes no bytes.

    So a walk over many subscribers is plain calls: no queue, no task and no wake-up for each of them.
    """

    __slots__ = ("_rest", "_send", "_transport", "closed")

    def __init__(
        self,
        send: Send,
        transport: asyncio.WriteTransport | None,
        *,
        takes_patches: bool = False,
        origin: str | None = None,
        until_us: int | None = None,
    ) -> None:
        super().__init__(takes_patches=takes_patches, origin=origin, until_us=until_us)
        self._send = send
        self._transport = transport
        self._rest: asyncio.Task[None] | None = None
        self.closed: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()

    def write(self, message: Message) -> None:
        # The server makes the chunks.
        sending = self._send({"type": "http.response.body", "body": message.plain, "more_body": True})
        assert isinstance(sending, Coroutine)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        self.is_behind = True
        self._rest = asyncio.get_running_loop().create_task(_rest(sending, waits_for))
        self._rest.add_done_callback(self._drained)

    def close(self, last: Message | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None if self.is_behind else last)
        if self._rest is not None:
            self._rest.cancel()
            if self._transport is not None:
                self._transport.abort()

    def _drained(self, rest: asyncio.Task[None]) -> None:
        self._rest = None
        self.is_behind = False
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
