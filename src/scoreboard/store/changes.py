"""Reads of what changed on a board after a version, for copies of it."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Connection, Select, select, union_all

from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.store.boards import key_of
from scoreboard.store.reads import head
from scoreboard.store.rows import columns_of
from scoreboard.store.tables import players, standings

_NAMES: Final = ("player_key", "user_id", "name", "score", "tie_order", "reached_at_us", "version")
_FURTHER: Final = ("name_version", "listed", "column_1", "column_2", "period")


def changes(connection: Connection, board: str, after: int, limit: int) -> Change:
    """Return a page of the standings that changed after a version: see `ports.Store.changes`."""
    newest = head(connection, board)
    periods = newest.open_periods
    # The last event of a page may have changed a standing in each period.
    changed = _changed(connection, board, periods, after, limit + len(periods) - 1)
    is_full = len(changed) >= limit
    if is_full and len(periods) > 1:
        last = changed[limit - 1].version
        changed = (*changed[:limit], *takewhile(lambda one: one.version == last, changed[limit:]))
    return Change(
        board=board,
        kind=ChangeKind.PAGE if is_full else ChangeKind.LAST_PAGE,
        from_version=after,
        to_version=changed[-1].version if is_full else newest.version,
        reading_us=newest.reading_us,
        standings=changed,
        periods=periods,
    )


def _changed(
    connection: Connection, board: str, periods: Sequence[str], after: int, limit: int
) -> tuple[Standing, ...]:
    """Return the standings in these periods that changed after a version, in the order of their versions."""
    pages = [_page(board, period, after, limit) for period in periods]
    if len(pages) == 1:
        statement = pages[0]
    else:
        every = union_all(*(select(page.subquery()) for page in pages)).subquery()
        statement = select(every).order_by(every.c.version).limit(limit)
    return _standings(connection, statement)


def standings_of_period(
    connection: Connection, board: str, period: str, after: int, limit: int
) -> Sequence[Standing]:
    """Return the standings of a period that changed after a version: see `ports.Store.standings`."""
    return _standings(connection, _page(board, period, after, limit))


def _standings(connection: Connection, statement: Select[Any]) -> tuple[Standing, ...]:
    rows: Iterable[Any] = connection.execute(statement).columns(*_NAMES, *_FURTHER)
    # Attributes of rows are too slow for thousands of them.
    return tuple(
        Standing(
            *(player, user_id, name, score, abs(tie_order), reached_at_us, version, name_version, listed),
            columns=() if column_1 is None else columns_of(column_1, column_2),
            period=period,
        )
        for player, user_id, name, score, tie_order, reached_at_us, version, name_version, listed,
            column_1, column_2, period in rows
    )  # fmt: skip


def _page(board: str, period: str, after: int, limit: int) -> Select[tuple[object, ...]]:
    return (
        select(
            standings,
            players.c.user_id,
            players.c.name,
            (players.c.seq + players.c.renames).label("name_version"),
        )
        .join(players, players.c.key == standings.c.player_key)
        .where(
            standings.c.board_key == key_of(board), standings.c.period == period, standings.c.version > after
        )
        .order_by(standings.c.version)
        .limit(limit)
    )
