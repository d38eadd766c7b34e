"""Reads of a board in its order: pages, and the ranks of players."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, tuple_
from sqlalchemy.engine import Row

from scoreboard.domain.definitions import Definition, Ties
from scoreboard.domain.events import Head
from scoreboard.domain.ordering import ranks
from scoreboard.domain.periods import PeriodKind, is_kind
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players, Query, first_index_around
from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.store.boards import definition_of, key_of
from scoreboard.store.reads import event_at, head
from scoreboard.store.rows import columns_of
from scoreboard.store.tables import players, standings

_VALUES: Final = (standings.c.order_1, standings.c.order_2, standings.c.order_3)
_ORDER: Final = (*_VALUES, standings.c.tie_order)

Position = tuple[int, int, int, int]
"""The order columns of a row. Columns that a board does not have are 0."""

_Row = Row[tuple[object, ...]]


def read(connection: Connection, board: str, period: str, query: Query) -> Snapshot:
    """Answer a query about a board in a period: see `ports.Store.read`."""
    view = _View(connection, board, period)
    match query:
        case Page(limit, offset):
            return view.snapshot(view.rows(limit, offset), offset)
        case After(position, limit):
            after = view.complete(position)
            return view.snapshot(view.rows(limit, after=after), view.count_up_to(after))
        case Around(player, limit):
            own = view.rows_of([player])
            if not own:
                return view.snapshot([])
            (index,) = view.indexes(own)
            offset = first_index_around(index, limit, view.players)
            return view.snapshot(view.rows(limit, offset), offset)
        case Players(keys):
            return view.ranked(view.rows_of(keys))
        case AtRanks(wanted):
            return view.ranked(view.rows_at(wanted))


class _View:
    """The standings of a board in a period, in one transaction."""

    def __init__(self, connection: Connection, board: str, period: str) -> None:
        self._connection = connection
        self._board = board
        self._period = period
        if is_kind(period):
            self._period = head(connection, board).periods.get(PeriodKind(period), period)
        self._definition: Definition = definition_of(connection, board)
        self._is_view = (standings.c.board_key == key_of(board)) & (standings.c.period == self._period)
        self._is_listed = self._is_view & standings.c.listed
        self.players = self._count(self._is_listed)

    def snapshot(self, rows: Sequence[_Row], offset: int = 0) -> Snapshot:
        """Return consecutive rows, of which the first has this index."""
        found = [self._values(row) for row in rows]
        first_rank = offset + 1
        if rows and self._definition.ties is Ties.SHARED:
            first_rank = 1 + self._count_better(rows[0])
        return self._snapshot(rows, ranks(self._definition, found, first_rank, offset))

    def ranked(self, rows: Sequence[_Row]) -> Snapshot:
        """Return rows of which each has its own rank."""
        if self._definition.ties is Ties.SHARED:
            return self._snapshot(rows, [1 + better for better in self._counts(rows, _VALUES)])
        return self._snapshot(rows, [1 + index for index in self.indexes(rows)])

    def rows(self, limit: int, offset: int = 0, after: Position | None = None) -> Sequence[_Row]:
        """Return rows in the order of the board: those after a position, without the first `offset`."""
        rows = self._select().order_by(*_ORDER).limit(limit)
        if offset:
            first = self._position_at(offset, after)
            if first is None:
                return []
            rows = rows.where(tuple_(*_ORDER) >= tuple_(*map(literal, first)))
        elif after is not None:
            rows = rows.where(tuple_(*_ORDER) > tuple_(*map(literal, after)))
        return self._connection.execute(rows).all()

    def rows_of(self, keys: Sequence[int]) -> Sequence[_Row]:
        """Return the rows of the players who are on the board, in its order."""
        # Sorted here: SQLite would read the whole board in its order, and pick the players out of it.
        rows = self._select().where(standings.c.player_key.in_(keys))
        return sorted(self._connection.execute(rows), key=_position)

    def rows_at(self, wanted: Sequence[int]) -> Sequence[_Row]:
        """Return the rows at positions from 1. Each read continues after the row before."""
        found: list[_Row] = []
        before = 0
        for rank in sorted({rank for rank in wanted if rank > 0}):
            after = _position(found[-1]) if found else None
            rows = self.rows(1, rank - before - 1, after)
            if not rows:
                break
            found += rows
            before = rank
        return found

    def indexes(self, rows: Sequence[_Row]) -> Sequence[int]:
        """Return the indexes of rows, which are in the order of the board."""
        return self._counts(rows, _ORDER)

    def _position_at(self, offset: int, after: Position | None) -> Position | None:
        """Return the position of the row after `offset` rows.

        The index alone answers it. An offset of rows with names would read the name of each skipped player.
        """
        positions = select(*_ORDER).where(self._is_listed).order_by(*_ORDER).limit(1).offset(offset)
        if after is not None:
            positions = positions.where(tuple_(*_ORDER) > tuple_(*map(literal, after)))
        found = self._connection.execute(positions).first()
        if found is None:
            return None
        return found.order_1, found.order_2, found.order_3, found.tie_order

    def count_up_to(self, position: Position) -> int:
        """Return the number of rows up to a position, with the row there."""
        return self._count(self._is_listed & (tuple_(*_ORDER) <= tuple_(*map(literal, position))))

    def complete(self, position: Sequence[int]) -> Position:
        """Return the order columns of an `Entry.position`."""
        values = (*position[:-1], 0, 0)
        return (values[0], values[1], values[2], position[-1])

    def _count_better(self, row: _Row) -> int:
        return self._counts([row], _VALUES)[0]

    def _counts(self, rows: Sequence[_Row], order: Sequence[ColumnElement[int]]) -> Sequence[int]:
        """Return for each row the number of rows before it. Each count continues after the row before."""
        counts: list[int] = []
        before = 0
        after: tuple[int, ...] | None = None
        for row in rows:
            key = _position(row)[: len(order)]
            condition = self._is_listed & (tuple_(*order) < tuple_(*map(literal, key)))
            if after is not None:
                condition &= tuple_(*order) >= tuple_(*map(literal, after))
            before += self._count(condition)
            counts.append(before)
            after = key
        return counts

    def _count(self, condition: ColumnElement[bool]) -> int:
        found = self._connection.execute(select(func.count()).select_from(standings).where(condition))
        return found.scalar_one()

    def _select(self) -> Select[tuple[object, ...]]:
        return (
            select(standings, players.c.user_id, players.c.name)
            .join(players, players.c.key == standings.c.player_key)
            .where(self._is_listed)
        )

    def _values(self, row: _Row) -> tuple[int, ...]:
        return (row.score, *columns_of(row.column_1, row.column_2))

    def _snapshot(self, rows: Sequence[_Row], own_ranks: Sequence[int]) -> Snapshot:
        version, reading_us = self._version()
        width = len(self._definition.sorts)
        return Snapshot(
            board=self._board,
            version=version,
            reading_us=reading_us,
            players=self.players,
            entries=tuple(
                Entry(
                    rank=rank,
                    user_id=row.user_id,
                    name=row.name,
                    score=row.score,
                    reached_at_us=row.reached_at_us,
                    columns=self._values(row)[1:],
                    position=(*_position(row)[:width], row.tie_order),
                )
                for row, rank in zip(rows, own_ranks, strict=True)
            ),
            period=self._period,
        )

    def _version(self) -> tuple[int, int]:
        """Return the version of the board, and its reading of the clock.

        A period that is over has the version of the last event that changed it.
        """
        newest: Head = head(self._connection, self._board)
        if self._period in newest.open_periods:
            return newest.version, newest.reading_us
        last = self._connection.execute(
            select(standings.c.board_key, standings.c.version)
            .where(self._is_view)
            .order_by(standings.c.version.desc())
            .limit(1)
        ).first()
        if last is None:
            return 0, 0
        return last.version, event_at(self._connection, last.board_key, last.version).reading_us


def _position(row: _Row) -> Position:
    return row.order_1, row.order_2, row.order_3, row.tie_order


def player_keys(connection: Connection, user_ids: Collection[str]) -> Mapping[str, int]:
    """Return the integer keys of the players who are known."""
    rows = connection.execute(select(players.c.user_id, players.c.key).where(players.c.user_id.in_(user_ids)))
    return {row.user_id: row.key for row in rows}
