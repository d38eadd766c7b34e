"""The ranking in this process's memory: for one instance beside its SQLite file.

A place in the order is one integer: the score (descending), the version that reached it (ascending) and the player's
key, so that each says whose it is and sorting needs no calls into Python.
"""

from collections.abc import AsyncIterator
from itertools import count, islice
from typing import Final, Self

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import Change, ChangeKind, Entry, Snapshot, Standing
from scoreboard.ports.ranking import Applied, Progress
from scoreboard.ranking.changed_boards import ChangedBoards
from scoreboard.ranking.sorted_keys import Order

_VERSION_BITS: Final = 53
_PLAYER_BITS: Final = 63


_Row = tuple[int | None, int, int]
"""What is kept of a standing: its key in the order (None: not listed), `reached_at_us`, version.

Plain tuples, here and below: Python's garbage collector leaves them alone, and there may be a million.
"""

_Names = dict[int, tuple[str, str | None]]
"""User id and name by the player's key: of all boards, so that a new name is seen on every one."""


class _Copy:
    """One board."""

    __slots__ = ("at_us", "id", "names", "order", "readable", "rows", "version")

    def __init__(self, id: str, names: _Names) -> None:
        self.id = id
        self.names = names
        self.version = 0
        self.at_us = 0
        self.readable = False
        self.rows: dict[int, _Row] = {}
        self.order = Order()

    def move(self, standing: Standing) -> None:
        old_key, _, old_version = self.rows.get(standing.player, (None, 0, 0))
        if old_version > standing.version:
            return
        if old_key is not None:
            self.order.remove(old_key)
        key = _order_key(standing) if standing.listed else None
        if key is not None:
            self.order.add(key)
        self.rows[standing.player] = (key, standing.reached_at_us, standing.version)
        self.names[standing.player] = (standing.user_id, standing.name)

    def ranks(self, change: Change) -> dict[int, int]:
        """Where the players of a change stand now."""
        if not self.readable:
            return {}
        ranks = ((standing.player, self.rank(standing.player)) for standing in change.standings)
        return {player: rank for player, rank in ranks if rank is not None}

    def rank(self, player: int) -> int | None:
        key, *_ = self.rows.get(player, (None,))
        return None if key is None else self.order.rank(key)

    def entry(self, rank: int, key: int) -> Entry:
        player = key & ((1 << _PLAYER_BITS) - 1)
        _, reached_at_us, _ = self.rows[player]
        score = MAX_SCORE - (key >> (_VERSION_BITS + _PLAYER_BITS))
        return Entry(rank, *self.names[player], score, reached_at_us)


def _order_key(standing: Standing) -> int:
    """`model.order_key` and the player's key as one integer."""
    score_and_version = (MAX_SCORE - standing.score) << _VERSION_BITS | standing.reached_version
    return score_and_version << _PLAYER_BITS | standing.player


class MemoryRanking:
    """`interfaces.Ranking` in memory. Nothing here waits, so each call is one atomic step of the event loop."""

    def __init__(self) -> None:
        self._names: _Names = {}
        self._copies: dict[str, _Copy] = {}
        self._ids = count(1)
        self._changed_boards = ChangedBoards()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._copies.clear()
        self._names.clear()

    async def progress(self, board: str) -> Progress:
        copy = self._copy(board)
        return Progress(copy.version, copy.readable, copy.at_us, copy.id)

    async def apply(self, change: Change, copy: str | None = None) -> Applied:
        own = self._copy(change.board)
        is_step = change.kind is ChangeKind.STEP
        is_gap = (
            own.version < change.from_version or (is_step and not own.readable) or copy not in {None, own.id}
        )
        ends = change.kind is ChangeKind.LAST_PAGE and not own.readable
        is_known = own.version > change.to_version or (own.version == change.to_version and not ends)
        if is_gap or is_known:
            return Applied(own.version, own.readable, False, own.ranks(change) if is_known else {})
        follows = is_step and own.version == change.from_version
        ranks: dict[int, int] = {}
        for standing in change.standings:
            own.move(standing)
            if follows and (rank := own.rank(standing.player)) is not None:
                ranks[standing.player] = rank
        own.version = change.to_version
        own.at_us = change.at_us
        own.readable = change.kind is not ChangeKind.PAGE
        if own.readable:
            self._changed_boards.add((change.board,))
        return Applied(own.version, own.readable, True, ranks if follows else own.ranks(change))

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        copy = self._readable(board)
        keys = islice(copy.order.after(offset), limit) if offset < len(copy.order) else ()
        return Snapshot(
            board=board,
            version=copy.version,
            at_us=copy.at_us,
            players=len(copy.order),
            entries=tuple(copy.entry(rank, key) for rank, key in enumerate(keys, start=offset + 1)),
        )

    async def rank(self, board: str, player: int) -> int | None:
        return self._readable(board).rank(player)

    async def drop(self, board: str) -> None:
        self._copies.pop(board, None)

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
