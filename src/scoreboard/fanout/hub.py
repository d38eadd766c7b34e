"""The hub: all open streams, with one ring of subscribers per view of a board."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from scoreboard.clock import SystemClock
from scoreboard.fanout.encoding import Frame, Message, encode_retry
from scoreboard.fanout.ring import SLICE_SECONDS, Counts, Ring
from scoreboard.fanout.rings import Rings
from scoreboard.fanout.stream_view import StreamView
from scoreboard.fanout.subscriber import Subscriber
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background_loop import BackgroundLoop

TICK_SECONDS: Final = 1.0
"""Interval of the checks for heartbeats, stalled clients and expired tokens."""

RETRY_MS: Final = (1_000, 3_000)
"""Time after which a client reconnects: random, so that not all clients reconnect at the same moment."""


class Hub:
    """The streams of all boards, on one event loop. No method waits for a client."""

    def __init__(
        self,
        boards: Iterable[str],
        *,
        max_streams: int = sys.maxsize,
        max_streams_per_address: int = sys.maxsize,
        jitter: Callable[[int, int], int] = random.randint,
        clock: Clock | None = None,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        """`max_streams_per_address` applies to subscribers that have a client address."""
        self._clock = clock or SystemClock()
        self.max_streams = max_streams
        self._max_streams_per_address = max_streams_per_address
        self._jitter = jitter
        self._streams_by_address = Counter[str]()
        self.counts = Counts()
        self._rings = Rings(boards, lambda: Ring(self.counts, self._streams_by_address, observer))
        self.is_draining = False
        self.loop = BackgroundLoop("streams", self._tick, observer)

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return sum(len(ring) for ring in self._rings)

    @property
    def lag(self) -> int:
        """Versions that the stream furthest behind lacks, as of the last tick."""
        return max((ring.lag for ring in self._rings), default=0)

    def open(self, view: StreamView) -> None:
        """Prepare for subscribers of a view, which join soon. Raises TooManyViews."""
        self._rings.add(view)

    def is_open(self, view: StreamView) -> bool:
        """Return True if a view has subscribers, or had some a moment ago, or may have some soon."""
        return self._rings.get(view) is not None

    def watched_views(self, board: str) -> Sequence[StreamView]:
        """Return the views of a board that have subscribers."""
        return [view for view in self._rings.views(board) if len(self._rings[view])]

    def publish(self, frame: Frame, view: StreamView | None = None) -> None:
        """Send a frame to the subscribers of a view. Nothing is sent if the visible rows are the same.

        By default, it is the view of all time. A view that is not open has no subscribers.
        """
        ring = self._rings.get(view or StreamView(frame.snapshot.board))
        if ring is not None:
            ring.publish(frame)

    def newest(self, view: StreamView) -> Frame | None:
        """Return the newest frame of a view, if there is one."""
        ring = self._rings.get(view)
        return None if ring is None else ring.frame

    def retry(self, after_ms: int = 0) -> Message:
        """Return a message with a random time to reconnect, at least `after_ms`."""
        return encode_retry(after_ms + self._jitter(*RETRY_MS))

    def refuse(self, after_ms: int = 0) -> Message:
        """Count a refused stream. Return the message for it."""
        self.counts.refused += 1
        return self.retry(after_ms)

    def join(self, subscriber: Subscriber, version: int | None = None) -> None:
        """Write the view's newest frame, and each newer one until `leave`.

        `version` is the version that the client already has. If a limit is reached, or the view is not open,
        the new stream is closed.
        """
        ring = self._rings.get(subscriber.view)
        if ring is None or self.is_draining or self._is_full(subscriber.client_address):
            subscriber.close(self.refuse())
        else:
            self.counts.opened += 1
            ring.add(subscriber, version)

    def _is_full(self, address: str | None) -> bool:
        return self.streams >= self.max_streams or (
            address is not None and self._streams_by_address[address] >= self._max_streams_per_address
        )

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a subscriber. A repeated call changes nothing."""
        ring = self._rings.get(subscriber.view)
        if ring is not None and ring.discard(subscriber):
            self.counts.left += 1

    async def _tick(self) -> float:
        """Send heartbeats, and close the streams that are stalled or whose token has expired."""
        for view, ring in self._rings.items():
            if not len(ring):
                ring.lag = 0
                continue
            with self.loop.failures.catch(board=view.board):
                ring.tick()
            with self.loop.failures.catch(board=view.board):
                await self._end_expired(ring)
        self._rings.remove_unused(asyncio.get_running_loop().time())
        return TICK_SECONDS

    async def _end_expired(self, ring: Ring) -> None:
        """End the streams whose tokens have expired. Tokens that were issued together expire together."""
        now_us = self._clock.now_us()

        def is_expired(subscriber: Subscriber) -> bool:
            expires_at_us = subscriber.expires_at_us
            return expires_at_us is not None and expires_at_us <= now_us

        self.counts.expired += await self._end(ring, is_expired)

    async def withdraw(self, view: StreamView) -> None:
        """Drop a view's outdated frame, and end its streams, so that clients reconnect."""
        ring = self._rings.get(view)
        if ring is not None:
            ring.frame = None
            self.counts.withdrawn += await self._end(ring, lambda _subscriber: True)

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
        """Refuse new streams. After a grace time for the load balancer, end all streams over `seconds`."""
        self.is_draining = True
        await asyncio.sleep(grace_seconds)
        clock = asyncio.get_running_loop().time
        begun = clock()
        streams = [(ring, subscriber) for ring in self._rings for subscriber in ring.subscribers()]
        for number, (ring, subscriber) in enumerate(streams, start=1):
            if ring.discard(subscriber):
                self.counts.drained += 1
                subscriber.close(self.retry())
            # A sleep per stream would take too long with 10,000 streams.
            if (early := begun + seconds * number / len(streams) - clock()) > 0:
                await asyncio.sleep(early)
