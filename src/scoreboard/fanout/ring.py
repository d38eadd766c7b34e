"""The watchers of one board, and the pace at which they are written to.

A ring, not rounds. A walk writes the newest frame of that moment to each subscriber in turn, in slices bounded by time,
so that a POST waits for a slice and never for ten thousand clients. What changes during a walk reaches those behind
the cursor at once and the others by the next walk, which starts where this one ended. Somebody whose bytes are not
taken is skipped and gets the newest frame once they are: a slow client costs a few buffered frames, slows nobody down,
and never sees an older board after a newer one.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

import structlog

from scoreboard.fanout.frame import HEARTBEAT, Frame, Message, patch
from scoreboard.fanout.subscriber import NO_PROVENANCE, Subscriber
from scoreboard.ports.observer import Observer

SLICE_SECONDS: Final = 0.001
"""How long a walk keeps the event loop at a time."""

PACE_SECONDS: Final = 0.025
"""From the start of a walk to the start of the next. What comes between waits for the second: with 0.05 that alone
was most of the 50 ms that a score has to a screen. (Among ten thousand streams a walk takes longer anyway.)"""

HEARTBEAT_SECONDS: Final = 15.0
"""Silence after which a comment is sent: well below the 30 to 60 s after which proxies close a connection."""

STALLED_SECONDS: Final = 30.0
"""How long a client may leave its bytes untaken before its stream is closed."""

IN_STEP: Final = 8
"""How many changes a client may lie back and still be sent what has changed; whoever lies further gets the board."""

log = structlog.get_logger()


@dataclass(slots=True)
class Counts:
    """What a hub has done, since it was made."""

    opened: int = 0
    refused: int = 0
    left: int = 0
    stalled: int = 0
    failed: int = 0
    drained: int = 0
    expired: int = 0
    withdrawn: int = 0
    snapshots: int = 0
    patches: int = 0
    heartbeats: int = 0
    skipped: int = 0
    bytes: int = 0


class Ring:
    """The watchers of one board. Nothing here waits for any of them."""

    def __init__(self, counts: Counts, origins: Counter[str], observer: Observer) -> None:
        self._counts = counts
        self._origins = origins
        self._observer = observer
        self.frame: Frame | None = None
        self.lag = 0
        """How many versions the one that is furthest behind has not been written, as of the last tick."""
        self._number = 0
        self._patches: dict[Frame, Message | None] = {}
        self._members: list[Subscriber] = []
        self._cursor = 0
        self._left = 0
        self._walk_number = 0
        self._walk_frame: Frame | None = None
        self._walk_started = float("-inf")
        self._walked_version = 0
        self._timer: asyncio.Handle | None = None
        self._heartbeat = False
        # One bound method for all of them.
        self._on_drained = self._catch_up

    def __len__(self) -> int:
        return len(self._members)

    def subscribers(self) -> tuple[Subscriber, ...]:
        return tuple(self._members)

    def add(self, subscriber: Subscriber, version: int | None) -> None:
        subscriber.on_drained = self._on_drained
        subscriber.place = len(self._members)
        self._members.append(subscriber)
        if subscriber.origin is not None:
            self._origins[subscriber.origin] += 1
        if self._left:
            # A walk is under way: the new place is one more on its way round.
            self._left += 1
        frame = self.frame
        if frame is not None and frame.snapshot.version == version and not frame.is_stale:
            subscriber.number, subscriber.frame = self._number, frame
        if not subscriber.is_behind:
            self._catch_up(subscriber)

    def discard(self, subscriber: Subscriber) -> bool:
        """Whether it was there. The last member takes the place of the one that goes."""
        place = subscriber.place
        if place == NO_PROVENANCE:
            return False
        subscriber.place = NO_PROVENANCE
        if subscriber.origin is not None:
            self._origins[subscriber.origin] -= 1
            if not self._origins[subscriber.origin]:
                del self._origins[subscriber.origin]
        last = self._members.pop()
        if last is not subscriber:
            self._members[place] = last
            last.place = place
            # During a walk the last one may have been waiting for the cursor while the place lies behind it.
            if not last.is_behind:
                self._catch_up(last)
        return True

    def publish(self, frame: Frame) -> None:
        before = self.frame
        self.frame = frame
        self._patches.clear()
        if before is None or (before.snapshot.entries, before.is_stale) != (
            frame.snapshot.entries,
            frame.is_stale,
        ):
            self._number += 1
            self._schedule()

    def tick(self) -> None:
        """Close who takes nothing, and see to it that there is never a long silence."""
        now = asyncio.get_running_loop().time()
        oldest = newest = self.frame.snapshot.version if self.frame is not None else 0
        for subscriber in self.subscribers():
            if not subscriber.is_behind:
                subscriber.behind_since = None
                continue
            if subscriber.frame is not None:
                oldest = min(oldest, subscriber.frame.snapshot.version)
            if subscriber.behind_since is None:
                subscriber.behind_since = now
            elif now - subscriber.behind_since >= STALLED_SECONDS and self.discard(subscriber):
                self._counts.stalled += 1
                subscriber.close(None)
        self.lag = newest - oldest
        if now - self._walk_started >= HEARTBEAT_SECONDS and self._timer is None:
            self._heartbeat = True
            self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._walk_started + PACE_SECONDS), self._start)

    def _start(self) -> None:
        self._walk_started = asyncio.get_running_loop().time()
        self._walk_number, self._walk_frame = self._number, self.frame
        self._left = len(self._members)
        self._walk()

    def _walk(self) -> None:
        """One slice: on from the cursor, until everybody had a turn or the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SLICE_SECONDS
        members = self._members
        while self._left > 0 and members:
            self._left -= 1
            # Not modulo: where members have left, the cursor may stand far past the end, and the next is the first.
            self._cursor = self._cursor + 1 if self._cursor + 1 < len(members) else 0
            self._visit(members[self._cursor])
            if loop.time() >= until:
                self._timer = loop.call_soon(self._walk)
                return
        self._timer = None
        if (
            self._walk_frame is not None
            and self._members
            and self._walk_frame.snapshot.version != self._walked_version
        ):
            self._walked_version = self._walk_frame.snapshot.version
            self._observer.walked(self._walk_frame.snapshot.at_us, loop.time() - self._walk_started)
        self._heartbeat = False
        if self._number != self._walk_number:
            self._schedule()

    def _visit(self, subscriber: Subscriber) -> None:
        try:
            if subscriber.is_behind:
                self._counts.skipped += 1
            elif subscriber.number != self._number:
                self._write(subscriber)
            elif self._heartbeat:
                self._counts.heartbeats += 1
                subscriber.write(HEARTBEAT)
        except Exception:
            # Whatever is wrong with one connection, all others still wait for this walk.
            log.exception("a stream has failed")
            self.discard(subscriber)
            self._counts.failed += 1
            subscriber.close(None)

    def _catch_up(self, subscriber: Subscriber) -> None:
        """Somebody new, or who has taken all bytes at last: on to the newest frame at once."""
        subscriber.behind_since = None
        if subscriber.place != NO_PROVENANCE and subscriber.number != self._number:
            self._write(subscriber)

    def _write(self, subscriber: Subscriber) -> None:
        frame = self.frame
        if frame is None:
            return
        message = self._patch(subscriber) if subscriber.takes_patches else None
        counts = self._counts
        if message is None:
            message = frame.event
            counts.snapshots += 1
        else:
            counts.patches += 1
        subscriber.number, subscriber.frame = self._number, frame
        counts.bytes += len(message.plain)
        subscriber.write(message)

    def _patch(self, subscriber: Subscriber) -> Message | None:
        """What leads from the frame it has to the newest: made once for all that have the same."""
        before, frame = subscriber.frame, self.frame
        if before is None or frame is None or self._number - subscriber.number > IN_STEP:
            return None
        if before not in self._patches:
            self._patches[before] = patch(before, frame)
        return self._patches[before]
