"""Board reads while there is no ranking to read from: few, shared, and from the store."""

import asyncio
from dataclasses import replace
from typing import Final

from scoreboard.interfaces import Clock, Store
from scoreboard.model import Snapshot

KEPT_SECONDS: Final = 1.0
"""How long an answer serves everybody who asks: a missing ranking must not become a flood of queries."""

TOP: Final = 100
"""What is read at once: every page that lies within it comes from the same reading."""

KEPT_PAGES: Final = 64
"""Pages further down that are kept at once."""


class Fallback:
    """One board, read from the store one page at a time (single-flight), each at most once a second."""

    def __init__(self, store: Store, board: str, clock: Clock) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._kept: dict[tuple[int, int], tuple[float, Snapshot]] = {}

    async def page(self, limit: int, offset: int, at_least: int) -> Snapshot:
        """A page that is no older than a second, and no older than version `at_least` if the store is not.

        Raises StoreUnavailable.
        """
        if offset + limit > TOP:
            return await self._read(limit, offset, at_least)
        top = await self._read(TOP, 0, at_least)
        return replace(top, entries=top.entries[offset : offset + limit])

    async def _read(self, limit: int, offset: int, at_least: int) -> Snapshot:
        async with self._one_at_a_time:
            now = self._clock.monotonic()
            read_at, snapshot = self._kept.get((limit, offset), (now - KEPT_SECONDS, None))
            if snapshot is not None and now - read_at < KEPT_SECONDS and snapshot.version >= at_least:
                return snapshot
            snapshot = await self._store.page(self._board, limit, offset)
            if len(self._kept) >= KEPT_PAGES:
                self._kept.clear()
            self._kept[limit, offset] = (now, snapshot)
            return snapshot
