"""Reads of boards: from the ranking, or from the store while the ranking is unavailable or too old."""

from dataclasses import replace
from functools import partial
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Event
from scoreboard.domain.queries import Page, Players
from scoreboard.domain.standings import Snapshot
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.ranking import Ranking
from scoreboard.ports.store import Store
from scoreboard.resilience.coalescing_cache import CoalescingCache
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.settings.catalog import Catalog

STORE_PAGE_SECONDS: Final = 1.0
"""How long a page from the store is reused, so that a missing ranking does not cause a flood of queries."""

TOP_ENTRIES: Final = 100
"""Entries of one read from the store. All pages within them are slices of that read."""


class BoardReader:
    """Reads pages and ranks. No page is older than a known correction.

    Within the first `TOP_ENTRIES`, no page is older than one that was served before.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        ranking: Ranking,
        minimum: MinimumVersions,
        clock: Clock,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        self._catalog = catalog
        self._ranking = ranking
        self._minimum = minimum
        self._observer = observer
        self._stored = {board: _StoredBoard(store, board, clock, minimum) for board in catalog.boards}
        self._served = dict.fromkeys(catalog.boards, 0)
        """The newest version of each board that was served."""

    async def page(
        self, board_id: str | None, limit: int, offset: int = 0, _period: str = ALL_TIME
    ) -> Snapshot:
        """Return a page of a board. Without an id, it is the first board of the catalog.

        Raises UnknownBoard, StoreUnavailable.
        """
        board = self._catalog.board(board_id).id
        snapshot = await self._ranked(board, limit, offset)
        if snapshot is not None and snapshot.version < self._lowest(board):
            # A concurrent read has returned a newer page meanwhile. Read again.
            snapshot = await self._ranked(board, limit, offset)
        lowest = self._lowest(board)
        is_ranked = snapshot is not None and snapshot.version >= lowest
        self._observer.read("ranking" if is_ranked else "store")
        if snapshot is None or snapshot.version < lowest:
            snapshot = await self._stored[board].page(limit, offset, at_least=lowest)
            if snapshot.version < lowest and offset + limit <= TOP_ENTRIES:
                # A backup was restored: the older version of the store is now the right one.
                self._served[board] = snapshot.version
                if snapshot.version < self._minimum.of(board):
                    self._minimum.reset(board, snapshot.version)
        if offset + limit <= TOP_ENTRIES:
            self._served[board] = max(self._served[board], snapshot.version)
        return snapshot

    async def rank(self, event: Event) -> int | None:
        """Return the rank of an event's player now, or None if the ranking does not have the event yet."""
        try:
            found = await self._ranking.read(event.board, ALL_TIME, Players((event.player,)))
        except RankingUnavailable:
            return None
        if found.version < event.version:
            return None
        return found.entries[0].rank if found.entries else None

    def _lowest(self, board: str) -> int:
        return max(self._served[board], self._minimum.of(board))

    async def _ranked(self, board: str, limit: int, offset: int) -> Snapshot | None:
        try:
            return await self._ranking.read(board, ALL_TIME, Page(limit, offset))
        except RankingUnavailable:
            return None


class _StoredBoard:
    """One board in the store. At most once a second, its top and one further page are read.

    Another further page is refused until then. An error is reused like a page, so that clients do not queue
    for a store that is unavailable.
    """

    def __init__(self, store: Store, board: str, clock: Clock, minimum: MinimumVersions) -> None:
        self._store = store
        self._board = board
        self._minimum = minimum
        self._monotonic = clock.monotonic
        self._top = self._cache(TOP_ENTRIES, 0)
        self._deep: tuple[tuple[int, int], CoalescingCache[Snapshot]] | None = None

    async def page(self, limit: int, offset: int, at_least: int) -> Snapshot:
        """Return a page that is at most a second old, and not older than the newest known correction.

        Within the top, it also has at least version `at_least`, if the store has.

        Raises StoreUnavailable, also if another further page was read within this second.
        """
        if offset + limit > TOP_ENTRIES:
            return await _recent(self._deep_cache(limit, offset), self._minimum.of(self._board))
        top = await _recent(self._top, at_least)
        return replace(top, entries=top.entries[offset : offset + limit])

    async def _read(self, limit: int, offset: int) -> Snapshot:
        return await self._store.read(self._board, ALL_TIME, Page(limit, offset))

    def _cache(self, limit: int, offset: int) -> CoalescingCache[Snapshot]:
        return CoalescingCache(partial(self._read, limit, offset), monotonic=self._monotonic)

    def _deep_cache(self, limit: int, offset: int) -> CoalescingCache[Snapshot]:
        """Return the cache of a further page. Raises StoreUnavailable if another one was read."""
        if self._deep is not None:
            position, cache = self._deep
            if position == (limit, offset):
                return cache
            if cache.age_seconds < STORE_PAGE_SECONDS:
                raise StoreUnavailable
        cache = self._cache(limit, offset)
        self._deep = (limit, offset), cache
        return cache


async def _recent(cache: CoalescingCache[Snapshot], at_least: int) -> Snapshot:
    """Return the cached page, or a new one if it is older than a version. Raises StoreUnavailable."""
    is_cached = cache.age_seconds < STORE_PAGE_SECONDS
    page = await cache.get(STORE_PAGE_SECONDS)
    return await cache.get() if is_cached and page.version < at_least else page
