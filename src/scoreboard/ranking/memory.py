"""The ranking in memory, for a single instance with a SQLite file."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from itertools import count
from typing import Final, Self

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.periods import is_kind, kind_of
from scoreboard.domain.queries import Query
from scoreboard.domain.standings import Change, ChangeKind, Snapshot
from scoreboard.ports.ranking import ApplyResult, CopyState
from scoreboard.ranking.changed_boards import ChangedBoards
from scoreboard.ranking.memory_view import Names, View
from scoreboard.resilience.background_loop import BackgroundLoop

SLICE_SECONDS: Final = 0.001
"""How long the removal of dropped rows may keep the event loop from other work."""

SLICE_ROWS: Final = 100
"""Rows that are removed between two looks at the clock: a tenth of a slice."""


class MemoryRanking:
    """A `Ranking` in memory. No method waits, so each call is one atomic step of the event loop."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        """`definitions` are those of the boards of the catalog."""
        self._definitions = definitions
        self._names: Names = {}
        self._copies: dict[str, _Copy] = {}
        self._ids = count(1)
        self._changed_boards = ChangedBoards()
        self._removal = _Removal()

    async def __aenter__(self) -> Self:
        self._removal.loop.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._removal.loop.stop()
        self._copies.clear()
        self._names.clear()

    async def copy_state(self, board: str) -> CopyState:
        return self._copy(board).state

    async def copy_states(self, boards: Collection[str]) -> Mapping[str, CopyState]:
        return {board: self._copy(board).state for board in boards}

    async def apply(self, change: Change, copy_id: str | None = None) -> ApplyResult:
        own = self._copy(change.board)
        is_step = change.kind is ChangeKind.STEP
        is_gap = (
            own.version < change.from_version
            or (is_step and not own.readable)
            or copy_id not in {None, own.id}
        )
        ends = change.kind is ChangeKind.LAST_PAGE and not own.readable
        is_known = own.version > change.to_version or (own.version == change.to_version and not ends)
        if is_gap or is_known:
            return ApplyResult(own.version, own.readable, False, own.ranks(change) if is_known else {})
        follows = is_step and own.version == change.from_version
        if change.periods != own.periods:
            self._removal.add(own.open(change.periods))
        ranks = own.move(change, with_ranks=follows)
        own.version = change.to_version
        own.reading_us = change.reading_us
        own.readable = change.kind is not ChangeKind.PAGE
        if own.readable:
            self._changed_boards.add((change.board,))
        return ApplyResult(own.version, own.readable, True, ranks if follows else own.ranks(change))

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        copy = self._copy(board)
        if is_kind(period):
            period = copy.open_period(period)
        view = copy.views.get(period)
        if not copy.readable or view is None:
            raise RankingUnavailable
        entries = view.entries(query)
        return Snapshot(board, copy.version, copy.reading_us, view.players, entries, period)

    async def drop(self, board: str) -> None:
        if (copy := self._copies.pop(board, None)) is not None:
            self._removal.add(copy.views.values())
        # After a backup is restored, a key may belong to another player, with a lower `name_version`.
        for player, (_, user_id, name) in self._names.items():
            self._names[player] = (0, user_id, name)

    def changed_boards(self) -> AsyncIterator[str]:
        return self._changed_boards.follow()

    def _copy(self, board: str) -> "_Copy":
        if board not in self._copies:
            self._copies[board] = _Copy(str(next(self._ids)), self._definitions[board], self._names)
        return self._copies[board]


class _Copy:
    """The copy of one board, with a view for each open period."""

    __slots__ = ("_definition", "_names", "id", "periods", "readable", "reading_us", "version", "views")

    def __init__(self, id: str, definition: Definition, names: Names) -> None:
        self._definition = definition
        self._names = names
        self.id = id
        self.version = 0
        self.reading_us = 0
        self.readable = False
        self.periods: tuple[str, ...] = (ALL_TIME,)
        self.views = {ALL_TIME: View(definition, names)}

    @property
    def state(self) -> CopyState:
        return CopyState(self.version, self.readable, self.reading_us, self.id)

    def open_period(self, kind: str) -> str:
        """Return the open period of a kind, or the kind if there is none."""
        further = (period for period in self.periods if period != ALL_TIME)
        return next((period for period in further if kind_of(period) == kind), kind)

    def open(self, periods: tuple[str, ...]) -> list[View]:
        """Have views of these periods. Return the views of other periods, which are no longer needed."""
        dropped = [view for period, view in self.views.items() if period not in periods]
        self.views = {
            period: self.views.get(period) or View(self._definition, self._names) for period in periods
        }
        self.periods = periods
        return dropped

    def move(self, change: Change, *, with_ranks: bool) -> dict[tuple[str, int], int]:
        """Move the players of a change. Return their ranks, each one right after the player's event."""
        ranks: dict[tuple[str, int], int] = {}
        for standing in change.standings:
            player = standing.player
            view = self.views.get(standing.period)
            if view is None:
                continue
            name_version, *_ = self._names.get(player, (0,))
            if name_version <= standing.name_version:
                self._names[player] = (standing.name_version, standing.user_id, standing.name)
            view.move(standing)
            if with_ranks and (rank := view.rank(player)) is not None:
                ranks[standing.period, player] = rank
        return ranks

    def ranks(self, change: Change) -> dict[tuple[str, int], int]:
        """Return the current ranks of the players of a change."""
        ranks: dict[tuple[str, int], int] = {}
        if self.readable:
            for standing in change.standings:
                view = self.views.get(standing.period)
                if view is not None and (rank := view.rank(standing.player)) is not None:
                    ranks[standing.period, standing.player] = rank
        return ranks


class _Removal:
    """Removes the rows of dropped views in slices of time: a million rows would take half a second."""

    def __init__(self) -> None:
        self._views: deque[View] = deque()
        self.loop = BackgroundLoop("removal", self._tick)

    def add(self, views: Iterable[View]) -> None:
        """Remove the rows of views that nothing else uses."""
        self._views.extend(views)
        self.loop.wake()

    async def _tick(self) -> float | None:
        clock = asyncio.get_running_loop().time
        until = clock() + SLICE_SECONDS
        while self._views:
            if not self._views[0].remove(SLICE_ROWS):
                self._views.popleft()
            if clock() > until:
                return 0.0
        return None
