"""Subscribers in memory, and hubs in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.fanout.encoding import Frame, Message, encode_board
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.stream_view import StreamView
from scoreboard.fanout.subscriber import StreamRequest, Subscriber
from scoreboard.ports.clock import Clock
from tests.virtual_time import run


def frame(version: int, score: int | None = None) -> Frame:
    entry = Entry(1, "ada", None, version if score is None else score, 0)
    return encode_board(Snapshot("main", version, version, 1, (entry,)))


MAIN = StreamView("main")


class Watcher(Subscriber):
    """Records what it gets. After each write, a stalled one is behind until `drain`."""

    __slots__ = ("closed_with", "got", "is_closed", "on_write", "stalled", "times")

    def __init__(
        self,
        expires_at_us: int | None = None,
        view: StreamView = MAIN,
        *,
        takes_patches: bool = False,
    ) -> None:
        super().__init__(StreamRequest(view, takes_patches, expires_at_us=expires_at_us))
        self.got: list[Message] = []
        self.times: list[float] = []
        self.stalled = False
        self.closed_with: Message | None = None
        self.is_closed = False
        self.on_write: Callable[[], None] = lambda: None

    def write(self, message: Message) -> None:
        assert not self.is_behind, "written to while behind"
        self.got.append(message)
        self.times.append(asyncio.get_running_loop().time())
        self.is_behind = self.stalled
        self.on_write()

    def close(self, last: Message | None) -> None:
        self.closed_with = last
        self.is_closed = True

    def drain(self) -> None:
        self.stalled = self.is_behind = False
        self.on_drained(self)


def joined(hub: Hub, count: int) -> list[Watcher]:
    """Add subscribers to the board."""
    watchers = [Watcher() for _ in range(count)]
    for watcher in watchers:
        hub.join(watcher)
    return watchers


def with_hub(test: Callable[[Hub], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an asynchronous test in virtual time, with a running hub."""

    async def scenario() -> None:
        async with hub_running() as hub:
            await test(hub)

    # Without __wrapped__, so that pytest looks for no fixture `hub`.
    return lambda: run(scenario())


@asynccontextmanager
async def hub_running(clock: Clock | None = None) -> AsyncIterator[Hub]:
    hub = Hub(["main"], jitter=lambda low, _high: low, clock=clock)
    async with hub.loop:
        yield hub
