"""The subscribers of one view of a board, and the pace at which frames are written to them.

A walk visits each subscriber once and writes the newest frame of that moment. It runs in slices that are
bounded in time, so that a POST waits for one slice at most, and not for 10,000 clients. If a frame is
published during a walk, the rest of the walk already writes it. Subscribers that were visited earlier get it
in the next walk, which starts where this one ended. A subscriber with unsent bytes is skipped. It gets the
newest frame when they are sent: a slow client costs a few buffered frames, delays no other client, and never
sees an older board after a newer one.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

import structlog

from scoreboard.fanout.encoding import Frame, Message, encode_patch
from scoreboard.fanout.heartbeat import HEARTBEAT, HEARTBEAT_SECONDS
from scoreboard.fanout.subscriber import NOT_IN_RING, Subscriber
from scoreboard.ports.observer import Observer

SLICE_SECONDS: Final = 0.001
"""Time for which a walk keeps the event loop without a pause."""

PACE_SECONDS: Final = 0.025
"""Minimum time from the start of a walk to the start of the next. Changes in between are written together. A
change waits for this time at most, which is half of the 50 ms that a score may take to a screen. A walk over
10,000 streams takes longer than this pace."""

STALLED_SECONDS: Final = 30.0
"""Time for which a client may read nothing before its stream is closed."""

MAX_PATCHED_CHANGES: Final = 8
"""Changes that a patch may span. A client that is further behind gets the whole board."""

log = structlog.get_logger()


@dataclass(slots=True)
class Counts:
    """Totals of a hub since its creation."""

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
    """The subscribers of one view of a board. No method waits for a client."""

    def __init__(self, counts: Counts, streams_by_address: Counter[str], observer: Observer) -> None:
        """All rings of a hub share `counts` and `streams_by_address`."""
        self._counts = counts
        self._streams_by_address = streams_by_address
        self._observer = observer
        self.frame: Frame | None = None
        self.lag = 0
        """Versions between the newest frame and the oldest one that a subscriber has, as of the last tick."""
        self._frame_number = 0
        """Count of the frames that differ in what clients see."""
        self._patches: dict[Frame, Message | None] = {}
        """Patches from earlier frames to the newest one."""
        self._members: list[Subscriber] = []
        self._walk_index = 0
        """The member that was visited last."""
        self._remaining = 0
        """Members that the current walk has yet to visit."""
        self._walk_frame_number = 0
        self._walk_frame: Frame | None = None
        self._walk_started = float("-inf")
        self._delivered_version = 0
        self._timer: asyncio.Handle | None = None
        self._sends_heartbeat = False
        # One bound method for all subscribers.
        self._on_drained = self._catch_up

    def __len__(self) -> int:
        return len(self._members)

    def subscribers(self) -> tuple[Subscriber, ...]:
        return tuple(self._members)

    def add(self, subscriber: Subscriber, version: int | None) -> None:
        subscriber.on_drained = self._on_drained
        subscriber.index = len(self._members)
        self._members.append(subscriber)
        if subscriber.client_address is not None:
            self._streams_by_address[subscriber.client_address] += 1
        if self._remaining:
            self._remaining += 1
        frame = self.frame
        if frame is not None and frame.snapshot.version == version and not frame.is_stale:
            subscriber.frame_number, subscriber.frame = self._frame_number, frame
        if not subscriber.is_behind:
            self._catch_up(subscriber)

    def discard(self, subscriber: Subscriber) -> bool:
        """Remove a subscriber. Return False if it is not in the ring. The last member moves to its index."""
        index, address = subscriber.index, subscriber.client_address
        if index == NOT_IN_RING:
            return False
        subscriber.index = NOT_IN_RING
        if address is not None:
            self._streams_by_address[address] -= 1
            if not self._streams_by_address[address]:
                del self._streams_by_address[address]
        last = self._members.pop()
        if last is not subscriber:
            self._members[index] = last
            last.index = index
            # The current walk may now miss the member that moved to this index: write to it now.
            if not last.is_behind:
                self._catch_up(last)
        return True

    def publish(self, frame: Frame) -> None:
        before = self.frame
        self.frame = frame
        self._patches.clear()
        if before is None or _visible(before) != _visible(frame):
            self._frame_number += 1
            self._schedule()

    def tick(self) -> None:
        """Close stalled streams, and schedule a heartbeat after a long silence. Call it once a second."""
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
            self._sends_heartbeat = True
            self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._walk_started + PACE_SECONDS), self._start_walk)

    def _start_walk(self) -> None:
        self._walk_started = asyncio.get_running_loop().time()
        self._walk_frame_number, self._walk_frame = self._frame_number, self.frame
        self._remaining = len(self._members)
        self._walk()

    def _walk(self) -> None:
        """Walk on for one slice."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SLICE_SECONDS
        members = self._members
        while self._remaining > 0 and members:
            self._remaining -= 1
            # No modulo: if members were removed, the index may be beyond the end. The next member is then the
            # first.
            self._walk_index = self._walk_index + 1 if self._walk_index + 1 < len(members) else 0
            self._visit(members[self._walk_index])
            if loop.time() >= until:
                self._timer = loop.call_soon(self._walk)
                return
        self._timer = None
        if (
            self._walk_frame is not None
            and self._members
            and self._walk_frame.snapshot.version != self._delivered_version
        ):
            self._delivered_version = self._walk_frame.snapshot.version
            self._observer.delivered(self._walk_frame.snapshot.reading_us, loop.time() - self._walk_started)
        self._sends_heartbeat = False
        if self._frame_number != self._walk_frame_number:
            self._schedule()

    def _visit(self, subscriber: Subscriber) -> None:
        try:
            if subscriber.is_behind:
                self._counts.skipped += 1
            elif subscriber.frame_number != self._frame_number:
                self._write(subscriber)
            elif self._sends_heartbeat:
                self._counts.heartbeats += 1
                subscriber.write(HEARTBEAT)
        except Exception:
            # One broken connection must not stop the walk.
            log.exception("a stream has failed")
            self.discard(subscriber)
            self._counts.failed += 1
            subscriber.close(None)

    def _catch_up(self, subscriber: Subscriber) -> None:
        """Write the newest frame to a subscriber that is new or has drained."""
        subscriber.behind_since = None
        if subscriber.index != NOT_IN_RING and subscriber.frame_number != self._frame_number:
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
        subscriber.frame_number, subscriber.frame = self._frame_number, frame
        counts.bytes += len(message.plain)
        subscriber.write(message)

    def _patch(self, subscriber: Subscriber) -> Message | None:
        """Return the patch from the subscriber's frame to the newest, encoded once for each frame."""
        before, frame = subscriber.frame, self.frame
        if (
            before is None
            or frame is None
            or self._frame_number - subscriber.frame_number > MAX_PATCHED_CHANGES
        ):
            return None
        if before not in self._patches:
            self._patches[before] = encode_patch(before, frame)
        return self._patches[before]


def _visible(frame: Frame) -> tuple[object, ...]:
    return frame.snapshot.entries, frame.is_stale, frame.snapshot.period
