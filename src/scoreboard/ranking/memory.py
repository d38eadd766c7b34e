"""The ranking in memory, for a single instance with a SQLite file.

The order of a board is a sorted list of integers. Each one encodes the score (descending), the version that
reached it (ascending) and the player's key, so sorting calls no Python code, and the integer names its
player.
"""

from collections.abc import AsyncIterator, Mapping
from itertools import count
from typing import Final, Self

from sortedcontainers import SortedList

from scoreboard.domain.boards import ALL_TIME, MAX_SCORE
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.queries import Page, Players, Query
from scoreboard.domain.standings import Change, ChangeKind, Entry, Snapshot, Standing
from scoreboard.ports.ranking import ApplyResult, CopyState
from scoreboard.ranking.changed_boards import ChangedBoards

_VERSION_BITS: Final = 53
_PLAYER_BITS: Final = 63


_Row = tuple[int | None, int, int]
"""A standing: its integer in the order (None if it is not listed), `reached_at_us`, version.

Rows and names, of which there may be a million, are plain tuples: Python's garbage collector skips them.
"""

_Names = dict[int, tuple[int, str, str | None]]
"""`name_version`, user id and name by player key. All boards share them, so every board shows a new name."""


class _Copy:
    """The copy of one board."""

    __slots__ = ("id", "names", "order", "readable", "reading_us", "rows", "version")

    def __init__(self, id: str, names: _Names) -> None:
        self.id = id
        self.names = names
        self.version = 0
        self.reading_us = 0
        self.readable = False
        self.rows: dict[int, _Row] = {}
        self.order = SortedList()

    def move(self, standing: Standing) -> None:
        """Move a player to a newer standing, and keep the newer name."""
        name_version, *_ = self.names.get(standing.player, (0,))
        if name_version <= standing.name_version:
            self.names[standing.player] = (standing.name_version, standing.user_id, standing.name)
        old_key, _, old_version = self.rows.get(standing.player, (None, 0, 0))
        if old_version > standing.version:
            return
        if old_key is not None:
            self.order.remove(old_key)
        key = _order_key(standing) if standing.listed else None
        if key is not None:
            self.order.add(key)
        self.rows[standing.player] = (key, standing.reached_at_us, standing.version)

    def ranks(self, change: Change) -> dict[tuple[str, int], int]:
        """Return the current ranks of the players of a change."""
        if not self.readable:
            return {}
        ranks = (((ALL_TIME, standing.player), self.rank(standing.player)) for standing in change.standings)
        return {player: rank for player, rank in ranks if rank is not None}

    def rank(self, player: int) -> int | None:
        key, *_ = self.rows.get(player, (None,))
        return None if key is None else self.order.bisect_right(key)

    def entries(self, query: Query) -> tuple[Entry, ...]:
        match query:
            case Page(limit, offset):
                keys = self.order.islice(offset, offset + limit)
                return tuple(self._entry(rank, key) for rank, key in enumerate(keys, start=offset + 1))
            case Players(players):
                rows = (self.rows.get(player, (None,)) for player in players)
                keys = sorted(key for key, *_ in rows if key is not None)
                return tuple(self._entry(self.order.bisect_right(key), key) for key in keys)
        raise NotImplementedError

    def _entry(self, rank: int, key: int) -> Entry:
        player = key & ((1 << _PLAYER_BITS) - 1)
        _, reached_at_us, _ = self.rows[player]
        _, user_id, name = self.names[player]
        score = MAX_SCORE - (key >> (_VERSION_BITS + _PLAYER_BITS))
        return Entry(rank, user_id, name, score, reached_at_us)


def _order_key(standing: Standing) -> int:
    """Encode `domain.standings.order_key` and the player's key as one integer."""
    score_and_version = (MAX_SCORE - standing.score) << _VERSION_BITS | standing.reached_version
    return score_and_version << _PLAYER_BITS | standing.player


class MemoryRanking:
    """A `Ranking` in memory. No method waits, so each call is one atomic step of the event loop."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        """`definitions` are those of the boards of the catalog."""
        self._definitions = definitions
        self._names: _Names = {}
        self._copies: dict[str, _Copy] = {}
        self._ids = count(1)
        self._changed_boards = ChangedBoards()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._copies.clear()
        self._names.clear()

    async def copy_state(self, board: str) -> CopyState:
        copy = self._copy(board)
        return CopyState(copy.version, copy.readable, copy.reading_us, copy.id)

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
        ranks: dict[tuple[str, int], int] = {}
        for standing in change.standings:
            own.move(standing)
            if follows and (rank := own.rank(standing.player)) is not None:
                ranks[standing.period, standing.player] = rank
        own.version = change.to_version
        own.reading_us = change.reading_us
        own.readable = change.kind is not ChangeKind.PAGE
        if own.readable:
            self._changed_boards.add((change.board,))
        return ApplyResult(own.version, own.readable, True, ranks if follows else own.ranks(change))

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        copy = self._readable(board)
        if period != ALL_TIME:
            raise RankingUnavailable
        entries = copy.entries(query)
        return Snapshot(board, copy.version, copy.reading_us, len(copy.order), entries)

    async def drop(self, board: str) -> None:
        self._copies.pop(board, None)
        # After a backup is restored, a key may belong to another player, with a lower `name_version`.
        for player, (_, user_id, name) in self._names.items():
            self._names[player] = (0, user_id, name)

    def changed_boards(self) -> AsyncIterator[str]:
        return self._changed_boards.follow()

    def _copy(self, board: str) -> _Copy:
        if board not in self._copies:
            self._copies[board] = _Copy(str(next(self._ids)), self._names)
        return self._copies[board]

    def _readable(self, board: str) -> _Copy:
        copy = self._copy(board)
        if not copy.readable:
            raise RankingUnavailable
        return copy
