"""Searches of administrators: the same statements for both databases, each in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, not_, or_, select, tuple_
from sqlalchemy.engine import Row

from scoreboard.domain.administration import EventCursor, LedgerRecord, PlayerStandings
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import ERASED_MARK
from scoreboard.domain.standings import Player, Standing
from scoreboard.store.boards import key_of
from scoreboard.store.reads import event_of
from scoreboard.store.rows import columns_of
from scoreboard.store.tables import boards, corrections, players, score_events, standings
from scoreboard.store.voids import are_void


def players_like(connection: Connection, search: str, limit: int) -> Sequence[PlayerStandings]:
    """Return the player with this id, then those whose id starts with the text or whose name contains it."""
    is_it = players.c.user_id == search
    rows = connection.execute(
        select(players)
        .where(
            not_(players.c.user_id.startswith(ERASED_MARK)),
            or_(
                is_it,
                players.c.user_id.startswith(search, autoescape=True),
                players.c.name.contains(search, autoescape=True),
                # SQLite compares letters without case only in ASCII.
                func.lower(players.c.name).contains(search.lower(), autoescape=True),
            ),
        )
        .order_by(is_it.desc(), players.c.user_id)
        .limit(limit)
    )
    found = [player_of(row) for row in rows]
    standings = standings_of(connection, found)
    return [PlayerStandings(player, standings.get(player.key, {})) for player in found]


def player_of(row: Row[tuple[object, ...]]) -> Player:
    """Return a row of `players` as a value."""
    return Player(
        row.key, row.user_id, row.name, row.seq, row.is_banned, row.is_hidden, row.is_name_kept, row.renames
    )


def standings_of(connection: Connection, found: Iterable[Player]) -> Mapping[int, Mapping[str, Standing]]:
    """Return the standings of all time of players, by player key and board id."""
    by_key = {player.key: player for player in found}
    by_player: dict[int, dict[str, Standing]] = {}
    for row in connection.execute(
        _STANDINGS.where(standings.c.player_key.in_(by_key), standings.c.period == ALL_TIME)
    ):
        by_player.setdefault(row.player_key, {})[row.board] = _standing(row, by_key[row.player_key])
    return by_player


def all_standings_of(connection: Connection, player: Player) -> Mapping[str, Mapping[str, Standing]]:
    """Return all standings of a player, by board id and period."""
    by_board: dict[str, dict[str, Standing]] = {}
    for row in connection.execute(_STANDINGS.where(standings.c.player_key == player.key)):
        by_board.setdefault(row.board, {})[row.period] = _standing(row, player)
    return by_board


_STANDINGS: Final[Select[tuple[object, ...]]] = (
    select(standings, boards.c.id.label("board"))
    .join(boards, boards.c.key == standings.c.board_key)
    .order_by(boards.c.key)
)


def _standing(row: Row[tuple[object, ...]], player: Player) -> Standing:
    return Standing(
        player=player.key,
        user_id=player.user_id,
        name=player.name,
        score=row.score,
        reached_version=abs(row.tie_order),
        reached_at_us=row.reached_at_us,
        version=row.version,
        name_version=player.name_version,
        listed=row.listed,
        columns=columns_of(row.column_1, row.column_2),
        period=row.period,
    )


def history(
    connection: Connection, user_id: str, before: EventCursor | None, limit: int
) -> Sequence[LedgerRecord]:
    """Return the events of a player on all boards, newest first."""
    player = select(players.c.key).where(players.c.user_id == user_id).scalar_subquery()
    return _page(connection, _all_records().where(score_events.c.player_key == player), before, limit)


def corrections_before(
    connection: Connection, before: EventCursor | None, limit: int
) -> Sequence[LedgerRecord]:
    """Return the audit log, newest first."""
    are_corrections = _all_records().where(corrections.c.actor.is_not(None))
    # Ordered by the time in `corrections`, which has an index.
    return _page(connection, are_corrections, before, limit, corrections.c.at_us)


def ledger(connection: Connection, board: str, after: int, limit: int) -> Sequence[LedgerRecord]:
    """Return the events of a board after a version, in order."""
    on_board = _all_records().where(score_events.c.board_key == key_of(board), score_events.c.version > after)
    return _fetch(connection, on_board.order_by(score_events.c.version).limit(limit))


def _all_records() -> Select[tuple[object, ...]]:
    is_same = and_(
        corrections.c.board_key == score_events.c.board_key, corrections.c.version == score_events.c.version
    )
    return (
        select(
            score_events,
            boards.c.id.label("board"),
            players.c.user_id.label("user_id"),
            corrections.c.actor,
            corrections.c.reason,
        )
        .join(boards, boards.c.key == score_events.c.board_key)
        # A rollover has no player.
        .outerjoin(players, players.c.key == score_events.c.player_key)
        .outerjoin(corrections, is_same)
    )


def _page(
    connection: Connection,
    records: Select[tuple[object, ...]],
    before: EventCursor | None,
    limit: int,
    at_us: ColumnElement[int] = score_events.c.at_us,
) -> Sequence[LedgerRecord]:
    order = (at_us, score_events.c.board_key, score_events.c.version)
    if before is not None:
        end = (literal(before.at_us), key_of(before.board), literal(before.version))
        records = records.where(tuple_(*order) < tuple_(*end))
    return _fetch(connection, records.order_by(*(column.desc() for column in order)).limit(limit))


def _fetch(connection: Connection, records: Select[tuple[object, ...]]) -> Sequence[LedgerRecord]:
    rows = connection.execute(records).all()
    return [
        LedgerRecord(event_of(row.board, row), row.user_id, is_void, row.actor, row.reason)
        for row, is_void in zip(rows, are_void(connection, rows), strict=True)
    ]
