"""Reads of boards: from the ranking, or from the store while the ranking is unavailable or too old."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Event
from scoreboard.domain.periods import is_kind, kind_of
from scoreboard.domain.queries import Page, Players, Query
from scoreboard.domain.standings import Snapshot
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.ranking import Ranking
from scoreboard.ports.store import Store
from scoreboard.resilience.shared_call import SharedCall
from scoreboard.services.board_periods import BoardPeriods
from scoreboard.services.closed_periods import STORE_READ_ROWS, ClosedPeriods
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.write_queue import PeriodResult
from scoreboard.settings.catalog import Catalog

STORE_PAGE_SECONDS: Final = 1.0
"""How long a page from the store is reused, so that a missing ranking does not cause a flood of queries."""


class _StoredBoard:
    """A board in an open period, in the store. At most once a second, its top and one further page are read.

    Another further page is refused until then. An error is reused like a page, so that clients do not queue
    for a store that is unavailable.
    """

    def __init__(self, store: Store, board: str, period: str, clock: Clock, minimum: MinimumVersions) -> None:
        self._store = store
        self._board = board
        self.period = period
        self._minimum = minimum
        self._monotonic = clock.monotonic
        self._read_top = self._shared_read(STORE_READ_ROWS, 0)
        self._further: tuple[tuple[int, int], SharedCall[Snapshot]] | None = None

    async def page(self, limit: int, offset: int, at_least: int) -> Snapshot:
        """Return a page that is at most a second old, and not older than the newest known correction.

        Within the top, it also has at least version `at_least`, if the store has.

        Raises StoreUnavailable, also if another further page was read within this second.
        """
        if offset + limit > STORE_READ_ROWS:
            return await _recent(self._further_read(limit, offset), self._minimum.of(self._board))
        top = await _recent(self._read_top, at_least)
        return replace(top, entries=top.entries[offset : offset + limit])

    async def _read(self, limit: int, offset: int) -> Snapshot:
        return await self._store.read(self._board, self.period, Page(limit, offset))

    def _shared_read(self, limit: int, offset: int) -> SharedCall[Snapshot]:
        return SharedCall(partial(self._read, limit, offset), monotonic=self._monotonic)

    def _further_read(self, limit: int, offset: int) -> SharedCall[Snapshot]:
        """Return the read of a further page. Raises StoreUnavailable if another one was read a moment ago."""
        if self._further is not None:
            position, read = self._further
            if position == (limit, offset):
                return read
            if read.age_seconds < STORE_PAGE_SECONDS:
                raise StoreUnavailable
        read = self._shared_read(limit, offset)
        self._further = (limit, offset), read
        return read


class BoardReader:
    """Answers queries about boards. No answer is older than a known correction.

    Within the first `STORE_READ_ROWS`, no page is older than an answer that was served before.
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
        self._store = store
        self._ranking = ranking
        self._minimum = minimum
        self._clock = clock
        self._observer = observer
        self._stored: dict[tuple[str, str], _StoredBoard] = {}
        self._served = dict.fromkeys(catalog.boards, 0)
        """The newest version of each board that was served."""
        self.periods = BoardPeriods(store, clock)
        self._closed = ClosedPeriods(store, minimum, clock)

    async def page(
        self, board_id: str | None, limit: int, offset: int = 0, period: str = ALL_TIME
    ) -> Snapshot:
        """Return a page of a board. Without an id, it is the first board of the catalog.

        Raises UnknownBoard, StoreUnavailable.
        """
        board = self._catalog.board(board_id).id
        if self.periods.is_over(board, period):
            return await self._read_closed(board, period, Page(limit, offset))
        query = Page(limit, offset)
        snapshot = await self._ranked(board, period, query)
        if snapshot is not None and snapshot.version < self._lowest(board):
            # A concurrent read has returned a newer page meanwhile. Read again.
            snapshot = await self._ranked(board, period, query)
        lowest = self._lowest(board)
        is_ranked = snapshot is not None and snapshot.version >= lowest
        self._observer.read("ranking" if is_ranked else "store")
        if snapshot is None or snapshot.version < lowest:
            snapshot = await self._stored_board(board, period).page(limit, offset, at_least=lowest)
            is_top = period == ALL_TIME and offset + limit <= STORE_READ_ROWS
            if snapshot.version < lowest and is_top:
                # A backup was restored: the older version of the store is now the right one.
                self._served[board] = snapshot.version
                if snapshot.version < self._minimum.of(board):
                    self._minimum.reset(board, snapshot.version)
        if is_kind(snapshot.period):
            # No period has begun yet.
            snapshot = replace(snapshot, period=await self._id_of(board, period))
        if offset + limit <= STORE_READ_ROWS:
            self._served[board] = max(self._served[board], snapshot.version)
        return snapshot

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        """Answer a query. Only pages and periods that are over can be read without the ranking.

        Raises StoreUnavailable, RankingUnavailable.
        """
        if isinstance(query, Page):
            return await self.page(board, query.limit, query.offset, period)
        if self.periods.is_over(board, period):
            return await self._read_closed(board, period, query)
        snapshot = await self._ranked(board, period, query)
        if snapshot is not None and snapshot.version < self._lowest(board):
            snapshot = await self._ranked(board, period, query)
        if snapshot is not None and snapshot.version >= self._lowest(board):
            self._served[board] = max(self._served[board], snapshot.version)
            self._observer.read("ranking")
            return snapshot
        if period != ALL_TIME:
            # The period may have ended a moment ago, or the board may have no event yet.
            period = await self._id_of(board, period)
            if self.periods.is_over(board, period) or not self.periods.has_begun(board, period):
                return await self._read_closed(board, period, query)
        raise RankingUnavailable

    async def rank(self, event: Event) -> int | None:
        """Return the rank of an event's player now, or None if the ranking does not have the event yet."""
        return (await self._result(event, ALL_TIME)).rank

    async def results(self, event: Event) -> Mapping[str, PeriodResult] | None:
        """Return the results of an event's player now, in each open period of a board that has some."""
        board = self._catalog.boards.get(event.board)
        if board is None or not board.definition.periods:
            return None
        try:
            opened = await self.periods.open_periods(board)
        except StoreUnavailable:
            return None
        return {period.id: await self._result(event, period.id) for period in opened}

    async def _result(self, event: Event, period: str) -> PeriodResult:
        found = await self._ranked(event.board, period, Players((event.player,)))
        if found is None or found.version < event.version or not found.entries:
            return PeriodResult(None, None)
        return PeriodResult(found.entries[0].score, found.entries[0].rank)

    async def _id_of(self, board: str, period: str) -> str:
        return await self.periods.id_of(self._catalog.boards[board], period)

    def _lowest(self, board: str) -> int:
        return max(self._served[board], self._minimum.of(board))

    async def _ranked(self, board: str, period: str, query: Query) -> Snapshot | None:
        try:
            return await self._ranking.read(board, period, query)
        except RankingUnavailable:
            return None

    async def _read_closed(self, board: str, period: str, query: Query) -> Snapshot:
        self._observer.read("store")
        return await self._closed.read(board, period, query)

    def _stored_board(self, board: str, period: str) -> _StoredBoard:
        """Return the reads of an open period from the store. They replace those of the period before it."""
        key = board, period if period == ALL_TIME or is_kind(period) else f"one {kind_of(period)}"
        known = self._stored.get(key)
        if known is None or known.period != period:
            known = self._stored[key] = _StoredBoard(self._store, board, period, self._clock, self._minimum)
        return known


async def _recent(read: SharedCall[Snapshot], at_least: int) -> Snapshot:
    """Return the last page of a read, or a new one if it is older than a version. Raises StoreUnavailable."""
    is_reused = read.age_seconds < STORE_PAGE_SECONDS
    page = await read.run(STORE_PAGE_SECONDS)
    return await read.run() if is_reused and page.version < at_least else page
