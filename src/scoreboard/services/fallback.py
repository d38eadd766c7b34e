"""Board reads while there is no ranking to read from: few, shared, and from the store."""

import asyncio
from dataclasses import replace
from typing import Final

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.standings import Snapshot
from scoreboard.ports.clock import Clock
from scoreboard.ports.store import Store
from scoreboard.services.minimum_version import MinimumVersions

KEPT_SECONDS: Final = 1.0
"""How long an answer serves everybody who asks: a missing ranking must not become a flood of queries."""

TOP: Final = 100
"""What is read at once: every page that lies within it comes from the same reading."""


class Fallback:
    """One board, read from the store: its top at most once a second, and beside it one page further down.

    A failure serves everybody who asks too, so nobody queues behind others' waits for a store that is gone.
    """

    def __init__(self, store: Store, board: str, clock: Clock, minimum: MinimumVersions) -> None:
        self._board = board
        self._minimum = minimum
        self._top = _Kept(store, board, clock)
        self._deep = _Kept(store, board, clock)

    async def page(self, limit: int, offset: int, at_least: int) -> Snapshot:
        """Return a page that is at most a second old, and not older than the newest known correction.

        Within the top, it also has at least version `at_least`, if the store has.

        Raises StoreUnavailable, also where another page further down was read within this second.
        """
        if offset + limit > TOP:
            return await self._deep.read(limit, offset, self._minimum.of(self._board))
        top = await self._top.read(TOP, 0, at_least)
        return replace(top, entries=top.entries[offset : offset + limit])


class _Kept:
    """The newest reading, of one page at a time."""

    def __init__(self, store: Store, board: str, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._read_at = float("-inf")
        self._place = (0, 0)
        self._snapshot: Snapshot | None = None

    async def read(self, limit: int, offset: int, at_least: int) -> Snapshot:
        """Raises StoreUnavailable."""
        async with self._one_at_a_time:
            now = self._clock.monotonic()
            if now - self._read_at < KEPT_SECONDS:
                kept = self._snapshot
                if kept is None or self._place != (limit, offset):
                    raise StoreUnavailable
                if kept.version >= at_least:
                    return kept
            self._read_at, self._place, self._snapshot = now, (limit, offset), None
            self._snapshot = await self._store.page(self._board, limit, offset)
            return self._snapshot
