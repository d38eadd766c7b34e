"""Who watches which board: a ring for each (`ring`), what they have done, and the end of them all."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from scoreboard.clock import SystemClock
from scoreboard.fanout.frame import Frame, Message, retry
from scoreboard.fanout.ring import SLICE_SECONDS, Counts, Ring
from scoreboard.fanout.subscriber import Subscriber
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background import Failures

TICK_SECONDS: Final = 1.0
"""How often heartbeats, stalled clients and tokens that have ended are looked after."""

RETRY_MS: Final = (1_000, 3_000)
"""When a browser whose stream has ended comes back: spread, so that not all come at once."""


class Hub:
    """The streams of all boards. Everything happens on one event loop, and nothing here waits for a client."""

    def __init__(
        self,
        boards: Iterable[str],
        *,
        most: int = sys.maxsize,
        most_of_an_origin: int = sys.maxsize,
        jitter: Callable[[int, int], int] = random.randint,
        clock: Clock | None = None,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        """At most so many streams in all, and of one origin (where a subscriber has one)."""
        self._clock = clock or SystemClock()
        self.most = most
        self._most_of_an_origin = most_of_an_origin
        self._jitter = jitter
        self._origins = Counter[str]()
        self.counts = Counts()
        self._rings = {board: Ring(self.counts, self._origins, observer) for board in boards}
        self._draining = False
        self._failures = Failures("streams", observer)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(len(ring) for ring in self._rings.values())

    @property
    def lag(self) -> int:
        """How many versions the stream that is furthest behind has not been written, as of the last tick."""
        return max((ring.lag for ring in self._rings.values()), default=0)

    def is_watched(self, board: str) -> bool:
        """Whether anybody watches a board."""
        return len(self._rings[board]) > 0

    @property
    def is_draining(self) -> bool:
        return self._draining

    def publish(self, frame: Frame) -> None:
        """Have a board's watchers see this frame; where they would see no difference, nothing is sent."""
        self._rings[frame.snapshot.board].publish(frame)

    def newest(self, board: str) -> Frame | None:
        """The newest frame of a board, once there is one."""
        return self._rings[board].frame

    def retry(self, after_ms: int = 0) -> Message:
        """When to come back after this stream, not before `after_ms`: another time for each."""
        return retry(after_ms + self._jitter(*RETRY_MS))

    def refuse(self, after_ms: int = 0) -> Message:
        """What to tell a stream that is not let in."""
        self.counts.refused += 1
        return self.retry(after_ms)

    def join(self, board: str, subscriber: Subscriber, version: int | None = None) -> None:
        """Write the board's newest frame, and each newer one from now on, until `leave`.

        Whoever says that it has the newest version already is not written that one again. One too many is told to come
        back later; who is in already stays.
        """
        if self._draining or self._is_full(subscriber.origin):
            subscriber.close(self.refuse())
        else:
            self.counts.opened += 1
            self._rings[board].add(subscriber, version)

    def _is_full(self, origin: str | None) -> bool:
        return self.streams >= self.most or (
            origin is not None and self._origins[origin] >= self._most_of_an_origin
        )

    def leave(self, board: str, subscriber: Subscriber) -> None:
        """Write nothing more to this one. A repeat changes nothing."""
        if self._rings[board].discard(subscriber):
            self.counts.left += 1

    async def run(self) -> None:
        """Send heartbeats, and close streams that are stalled or whose token has ended, for ever."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for board, ring in self._rings.items():
                with self._failures.survived(board=board):
                    ring.tick()
                with self._failures.survived(board=board):
                    await self._end_expired(ring)

    async def _end_expired(self, ring: Ring) -> None:
        """End the streams whose tokens have expired. Tokens that were issued together expire together."""
        now_us = self._clock.now_us()
        self.counts.expired += await self._end(ring, lambda subscriber: subscriber.until_us <= now_us)

    async def withdraw(self, board: str) -> None:
        """Drop the board's frame, which must not be shown any more, and end its streams. Clients reconnect."""
        self._rings[board].frame = None
        self.counts.withdrawn += await self._end(self._rings[board], lambda _subscriber: True)

    async def _end(self, ring: Ring, is_ended: Callable[[Subscriber], bool]) -> int:
        """End some streams of a ring, in slices. Return the number of them."""
        clock = asyncio.get_running_loop().time
        ended, until = 0, clock() + SLICE_SECONDS
        for subscriber in ring.subscribers():
            if not is_ended(subscriber) or not ring.discard(subscriber):
                continue
            ended += 1
            subscriber.close(self.retry())
            if clock() >= until:
                await asyncio.sleep(0)
                until = clock() + SLICE_SECONDS
        return ended

    async def drain(self, grace_seconds: float, seconds: float) -> None:
        """Be ready no more, take no streams, and after a grace for the balancer end all, spread over some seconds."""
        self._draining = True
        await asyncio.sleep(grace_seconds)
        clock = asyncio.get_running_loop().time
        begun = clock()
        everybody = [(ring, subscriber) for ring in self._rings.values() for subscriber in ring.subscribers()]
        for number, (ring, subscriber) in enumerate(everybody, start=1):
            if ring.discard(subscriber):
                self.counts.drained += 1
                subscriber.close(self.retry())
            # A sleep for each of ten thousand would take longer than it says.
            if (early := begun + seconds * number / len(everybody) - clock()) > 0:
                await asyncio.sleep(early)
