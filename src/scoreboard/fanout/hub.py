"""Who watches which board, and the pace at which they are written to.

A ring, not rounds. A walk writes the newest frame of that moment to each subscriber in turn, in slices bounded by time,
so that a POST waits for a slice and never for ten thousand clients. What changes during a walk reaches those behind
the cursor at once and the others by the next walk, which starts where this one ended. Somebody whose bytes are not
taken is skipped and gets the newest frame once they are: a slow client costs a few buffered frames, slows nobody down,
and never sees an older board after a newer one.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from scoreboard.fanout.frame import HEARTBEAT, Frame, retry
from scoreboard.fanout.subscriber import Subscriber

SLICE_SECONDS: Final = 0.001
"""How long a walk keeps the event loop at a time."""

PACE_SECONDS: Final = 0.025
"""From the start of a walk to the start of the next. What comes between waits for the second: with 0.05 that alone
was most of the 50 ms that a score has to a screen. (Among ten thousand streams a walk takes longer anyway.)"""

HEARTBEAT_SECONDS: Final = 15.0
"""Silence after which a comment is sent: well below the 30 to 60 s after which proxies close a connection."""

STALLED_SECONDS: Final = 30.0
"""How long a client may leave its bytes untaken before its stream is closed."""

TICK_SECONDS: Final = 1.0
"""How often heartbeats and stalled clients are looked after."""

RETRY_MS: Final = (1_000, 3_000)
"""When a browser whose stream has ended comes back: spread, so that not all come at once."""


log = structlog.get_logger()


@dataclass(slots=True)
class Counts:
    """What a hub has done, since it was made."""

    frames_sent: int = 0
    skipped: int = 0
    closed_stalled: int = 0


class Hub:
    """The streams of all boards. Everything happens on one event loop, and nothing here waits for a client."""

    def __init__(self, boards: Iterable[str], *, jitter: Callable[[int, int], int] = random.randint) -> None:
        self._jitter = jitter
        self.counts = Counts()
        self._rings = {board: _Ring(self.counts) for board in boards}
        self._draining = False

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(len(ring) for ring in self._rings.values())

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

    def retry(self) -> bytes:
        """When to come back after this stream: another time for each."""
        return retry(self._jitter(*RETRY_MS))

    def join(self, board: str, subscriber: Subscriber) -> None:
        """Write the board's newest frame, and each newer one from now on, until `leave`."""
        if self._draining:
            subscriber.close(self.retry())
        else:
            self._rings[board].add(subscriber)

    def leave(self, board: str, subscriber: Subscriber) -> None:
        """Write nothing more to this one. A repeat changes nothing."""
        self._rings[board].discard(subscriber)

    async def run(self) -> None:
        """Send heartbeats and close stalled streams, for ever."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for ring in self._rings.values():
                ring.tick()

    async def drain(self, grace_seconds: float, seconds: float) -> None:
        """Be ready no more, take no streams, and after a grace for the balancer end all, spread over some seconds."""
        self._draining = True
        await asyncio.sleep(grace_seconds)
        everybody = [(ring, subscriber) for ring in self._rings.values() for subscriber in ring.subscribers()]
        for ring, subscriber in everybody:
            ring.discard(subscriber)
            subscriber.close(self.retry())
            await asyncio.sleep(seconds / len(everybody))


class _Ring:
    """The watchers of one board, and the walk around them."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self.frame: Frame | None = None
        self._number = 0
        self._members: list[Subscriber] = []
        self._places: dict[Subscriber, int] = {}
        self._cursor = 0
        self._left = 0
        self._walk_number = 0
        self._timer: asyncio.Handle | None = None
        self._heartbeat = False
        self._walk_started = float("-inf")

    def __len__(self) -> int:
        return len(self._members)

    def subscribers(self) -> tuple[Subscriber, ...]:
        return tuple(self._members)

    def add(self, subscriber: Subscriber) -> None:
        subscriber.on_drained = self._catch_up
        self._places[subscriber] = len(self._members)
        self._members.append(subscriber)
        if self._left:
            # A walk is under way: the new place is one more on its way round.
            self._left += 1
        self._catch_up(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        """The last member takes the place of the one that goes."""
        place = self._places.pop(subscriber, None)
        if place is None:
            return
        last = self._members.pop()
        if last is not subscriber:
            self._members[place] = last
            self._places[last] = place
            # During a walk the last one may have been waiting for the cursor while the place lies behind it.
            if not last.is_behind:
                self._catch_up(last)

    def publish(self, frame: Frame) -> None:
        before = self.frame
        self.frame = frame
        if before is None or (before.snapshot.entries, before.is_stale) != (frame.snapshot.entries, frame.is_stale):
            self._number += 1
            self._schedule()

    def tick(self) -> None:
        now = asyncio.get_running_loop().time()
        for subscriber in self.subscribers():
            if not subscriber.is_behind:
                subscriber.behind_since = None
            elif subscriber.behind_since is None:
                subscriber.behind_since = now
            elif now - subscriber.behind_since >= STALLED_SECONDS:
                self._counts.closed_stalled += 1
                self.discard(subscriber)
                subscriber.close(b"")
        if now - self._walk_started >= HEARTBEAT_SECONDS and self._timer is None:
            self._heartbeat = True
            self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._walk_started + PACE_SECONDS), self._start)

    def _start(self) -> None:
        self._walk_started = asyncio.get_running_loop().time()
        self._walk_number = self._number
        self._left = len(self._members)
        self._walk()

    def _walk(self) -> None:
        """One slice: on from the cursor, until everybody had a turn or the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SLICE_SECONDS
        while self._left > 0 and self._members:
            self._left -= 1
            # Not modulo: where members have left, the cursor may stand far past the end, and the next is the first.
            self._cursor = self._cursor + 1 if self._cursor + 1 < len(self._members) else 0
            self._visit(self._members[self._cursor])
            if loop.time() >= until:
                self._timer = loop.call_soon(self._walk)
                return
        self._timer = None
        self._heartbeat = False
        if self._number != self._walk_number:
            self._schedule()

    def _visit(self, subscriber: Subscriber) -> None:
        try:
            if subscriber.is_behind:
                self._counts.skipped += 1
            elif subscriber.sent != self._number:
                self._write(subscriber)
            elif self._heartbeat:
                subscriber.write(HEARTBEAT)
        except Exception:
            # Whatever is wrong with one connection, all others still wait for this walk.
            log.exception("a stream has failed")
            self.discard(subscriber)
            subscriber.close(b"")

    def _catch_up(self, subscriber: Subscriber) -> None:
        """Somebody new, or who has taken all bytes at last: on to the newest frame at once."""
        subscriber.behind_since = None
        if subscriber in self._places and subscriber.sent != self._number:
            self._write(subscriber)

    def _write(self, subscriber: Subscriber) -> None:
        if self.frame is not None:
            subscriber.sent = self._number
            subscriber.write(self.frame.event)
            self._counts.frames_sent += 1
