"""What an administrator looks up: the same statements for every dialect, each within one transaction."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, not_, or_, select, tuple_
from sqlalchemy.engine import Row

from scoreboard.domain.administration import EventCursor, Profile, Record
from scoreboard.domain.events import ERASED_MARK
from scoreboard.store.administration.corrections import player_of, standings_of
from scoreboard.store.reads import event_of, key_of
from scoreboard.store.tables import boards, corrections, players, score_events
from scoreboard.store.voids import are_void


def players_like(connection: Connection, search: str, limit: int) -> Sequence[Profile]:
    """Who has that id, whose id begins with it, or whose name has it somewhere; in this order."""
    is_it = players.c.user_id == search
    rows = connection.execute(
        select(players)
        .where(
            not_(players.c.user_id.startswith(ERASED_MARK)),
            or_(
                is_it,
                players.c.user_id.startswith(search, autoescape=True),
                players.c.name.contains(search, autoescape=True),
                # SQLite knows capitals of ASCII alone.
                func.lower(players.c.name).contains(search.lower(), autoescape=True),
            ),
        )
        .order_by(is_it.desc(), players.c.user_id)
        .limit(limit)
    )
    found = [player_of(row) for row in rows]
    standings = standings_of(connection, found)
    return [(player, standings.get(player.key, {})) for player in found]


def history(connection: Connection, user_id: str, before: EventCursor | None, limit: int) -> Sequence[Record]:
    """The events of a player on all boards, newest first."""
    whose = select(players.c.key).where(players.c.user_id == user_id).scalar_subquery()
    return _records(connection, _all_events().where(score_events.c.player_key == whose), before, limit)


def corrections_before(connection: Connection, before: EventCursor | None, limit: int) -> Sequence[Record]:
    """The audit log, newest first."""
    made_by_hand = _all_events().where(corrections.c.actor.is_not(None))
    return _records(connection, made_by_hand, before, limit, corrections.c.at_us)


def ledger(connection: Connection, board: str, after: int, limit: int) -> Sequence[Record]:
    """A stretch of a board's ledger, in order."""
    of_board = _all_events().where(score_events.c.board_key == key_of(board), score_events.c.version > after)
    return _as_records(
        connection, connection.execute(of_board.order_by(score_events.c.version).limit(limit)).all()
    )


def _all_events() -> Select[tuple[object, ...]]:
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
        .join(players, players.c.key == score_events.c.player_key)
        .outerjoin(corrections, is_same)
    )


def _records(
    connection: Connection,
    wanted: Select[tuple[object, ...]],
    before: EventCursor | None,
    limit: int,
    at_us: ColumnElement[int] | None = None,
) -> Sequence[Record]:
    # Of the audit log the time of the corrections' own table, which has the index.
    time = score_events.c.at_us if at_us is None else at_us
    if before is not None:
        before_us, board, version = before
        place = tuple_(time, score_events.c.board_key, score_events.c.version)
        wanted = wanted.where(place < tuple_(literal(before_us), key_of(board), literal(version)))
    newest_first = (time.desc(), score_events.c.board_key.desc(), score_events.c.version.desc())
    return _as_records(connection, connection.execute(wanted.order_by(*newest_first).limit(limit)).all())


def _as_records(connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> Sequence[Record]:
    return [
        Record(event_of(row.board, row), row.user_id, is_void, row.actor, row.reason)
        for row, is_void in zip(rows, are_void(connection, rows), strict=True)
    ]
