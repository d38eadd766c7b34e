"""Reads of periods that are over, from the store. The ranking has only those that are open."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Final

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.queries import Page, Query
from scoreboard.domain.standings import Snapshot
from scoreboard.ports.clock import Clock
from scoreboard.ports.store import Store
from scoreboard.resilience.shared_call import SharedCall
from scoreboard.services.minimum_versions import MinimumVersions

STORE_READ_ROWS: Final = 100
"""Rows of one read of a top. All pages within them are slices of that read."""

CACHED_READS: Final = 256
"""About 20 KB each."""

MAX_AGE_SECONDS: Final = 60.0
"""A correction ends the use of an answer at once. This limit is for backups that are restored."""

ERROR_SECONDS: Final = 1.0
"""How long an error is reused."""

READS_AT_ONCE: Final = 4
"""Reads in progress. One may take 50 ms, and others need the connections too."""

WAITING_READS: Final = 32
"""Reads that wait for their turn. Further ones are refused."""


class ClosedPeriods:
    """Answers queries about closed periods, whose standings only a correction changes."""

    def __init__(self, store: Store, minimum: MinimumVersions, clock: Clock) -> None:
        self._store = store
        self._minimum = minimum
        self._monotonic = clock.monotonic
        self._turns = asyncio.Semaphore(READS_AT_ONCE)
        self._waiting = 0
        self._reads: dict[tuple[str, str, Query, int], SharedCall[Snapshot]] = {}

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        """Answer a query. The answer is not older than the newest known correction of the board.

        Raises StoreUnavailable, also if too many reads wait.
        """
        if isinstance(query, Page) and query.offset + query.limit <= STORE_READ_ROWS:
            top = await self._cached(board, period, Page(STORE_READ_ROWS))
            return replace(top, entries=top.entries[query.offset : query.offset + query.limit])
        return await self._cached(board, period, query)

    async def _cached(self, board: str, period: str, query: Query) -> Snapshot:
        key = (board, period, query, self._minimum.of(board))
        read = self._reads.get(key)
        if read is None:
            if len(self._reads) >= CACHED_READS:
                del self._reads[next(iter(self._reads))]
            read = SharedCall(partial(self._read, board, period, query), monotonic=self._monotonic)
            self._reads[key] = read
        try:
            return await read.run(MAX_AGE_SECONDS)
        except StoreUnavailable:
            if read.age_seconds < ERROR_SECONDS:
                raise
            return await read.run(ERROR_SECONDS)

    async def _read(self, board: str, period: str, query: Query) -> Snapshot:
        if self._waiting >= WAITING_READS:
            raise StoreUnavailable
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._store.read(board, period, query)
        finally:
            self._turns.release()
