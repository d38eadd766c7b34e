"""Watchers: each one reads its board's stream, reconnects when it ends, and records every frame."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.standings import Entry, Snapshot
from tests.history.records import Frame
from tests.history.wire import ConnectionLost, Connections, NotConnected

SILENCE_SECONDS = 20.0
"""A live stream sends something at least every 15 s."""

BACK_SECONDS = (0.05, 0.5)
"""The pause before a watcher reconnects: shorter than a browser's, so that it sees more faults."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Watcher:
    """A watcher of a board in a kind of period on these instances. It connects to them in turn."""

    def __init__(self, name: str, board: str, instances: Sequence[str], kind: str = ALL_TIME) -> None:
        self.name = name
        self.board = board
        self.kind = kind
        self.shown: Snapshot | None = None
        self._instances = instances

    async def run(
        self,
        connections: Mapping[str, Connections],
        record: Callable[[Frame], None],
        now: Callable[[], float],
        rng: random.Random,
    ) -> None:
        """Watch until cancelled."""
        turn = rng.randrange(len(self._instances))
        while True:
            instance = self._instances[turn % len(self._instances)]
            headers = {"accept": "text/event-stream"}
            if self.shown is not None:
                headers["last-event-id"] = str(self.shown.version)
            path = f"/api/leaderboard/stream?board={self.board}&period={self.kind}"
            stream = connections[instance].events(path, headers, within_seconds=SILENCE_SECONDS)
            try:
                async with aclosing(stream):
                    async for event in stream:
                        if "data" in event:
                            self.shown = read_snapshot(event["data"])
                            assert event["id"] == str(self.shown.version), event
                            record(Frame(self.name, instance, now(), self.shown))
            except (NotConnected, ConnectionLost):
                pass
            turn += 1
            await asyncio.sleep(rng.uniform(*BACK_SECONDS))


@lru_cache(maxsize=1_024)
def read_snapshot(text: str) -> Snapshot:
    """Parse a board of the API, without names. Results are cached: many watchers receive the same bytes."""
    document: dict[str, Any] = json.loads(text)
    entries = tuple(
        Entry(
            entry["rank"],
            entry["userId"],
            None,
            entry["score"],
            _microseconds(entry["reachedAt"]),
            tuple(entry.get("columns", {}).values()),
        )
        for entry in document["entries"]
    )
    at_us = 0 if document["updatedAt"] is None else _microseconds(document["updatedAt"])
    period = document.get("period", ALL_TIME)
    return Snapshot(document["board"], document["version"], at_us, document["players"], entries, period)


def _microseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - _EPOCH) // timedelta(microseconds=1)
