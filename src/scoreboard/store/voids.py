"""Statements, for both databases, that find void events and the event that reached a score without them."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select, true
from sqlalchemy.engine import Row

from scoreboard.domain.administration import ValuedEvent
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import EventKind, ReachingEvent
from scoreboard.domain.rollovers import PastPeriods
from scoreboard.store.boards import key_of
from scoreboard.store.event_kinds import HIDES
from scoreboard.store.tables import READING_US, score_events

_NOTHING: Final = 0
"""Added to a board's key so that SQLite uses the index of targets or players, not that of the board."""

_later = score_events.alias("later")

is_void: Final[ColumnElement[bool]] = (
    func.coalesce(
        select(_later.c.kind)
        .where(
            _later.c.board_key + _NOTHING == score_events.c.board_key,
            _later.c.target_version == score_events.c.version,
        )
        .order_by(_later.c.version.desc())
        .limit(1)
        .scalar_subquery(),
        "",
    )
    == EventKind.VOID
)
"""True for an event if the last event that targets it is a void."""


def are_void(connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> list[bool]:
    """Return for each of these rows of the ledger whether it is void (`is_void`)."""
    last_kinds: dict[tuple[int, int], str] = {}
    for board in {row.board_key for row in rows}:
        versions = [row.version for row in rows if row.board_key == board]
        found = connection.execute(
            select(score_events.c.target_version, score_events.c.kind)
            .where(score_events.c.board_key + _NOTHING == board, score_events.c.target_version.in_(versions))
            .order_by(score_events.c.version)
        )
        last_kinds |= {(board, row.target_version): row.kind for row in found}
    return [last_kinds.get((row.board_key, row.version)) == EventKind.VOID for row in rows]


def reached_after(
    connection: Connection,
    kind: EventKind,
    player: int,
    targets: Sequence[ValuedEvent],
    periods: PastPeriods,
) -> Mapping[str, ReachingEvent]:
    """Return, by period, the event that reaches a score once targets of a board are voided or restored.

    As in `effective_history`, it is the first of these that exists, for an event of a period:

    1. the last event that counts and has points,
    2. the first event that counts: the score has been 0 since then,
    3. the first award or adjustment: all of them are void.

    `periods` are those of the board.
    """
    board = targets[0].event.board
    are_targets = score_events.c.version.in_([target.event.version for target in targets])
    counts = (
        and_(not_(is_void), not_(are_targets)) if kind is EventKind.VOID else or_(not_(is_void), are_targets)
    )
    reached: dict[str, ReachingEvent] = {}
    for period in {period for target in targets for period in target.periods}:
        begun, ended = periods.span(period)
        is_inside = true() if period == ALL_TIME else score_events.c.version > begun
        if ended is not None:
            is_inside = and_(is_inside, score_events.c.version < ended)
        counts_inside = and_(is_inside, counts)
        found = (
            _find(connection, board, player, and_(score_events.c.points != 0, counts_inside), newest=True)
            or _find(connection, board, player, counts_inside)
            or _find(connection, board, player, is_inside)
        )
        assert found is not None
        reached[period] = found
    return reached


def _find(
    connection: Connection, board: str, player: int, condition: ColumnElement[bool], *, newest: bool = False
) -> ReachingEvent | None:
    """Return the first such award or adjustment of a player on a board, or the newest one.

    Both kinds are in the index of a player's submissions. Adjustments have no number there.
    """
    seq, version = score_events.c.seq, score_events.c.version
    # A change of a name is stored as an adjustment (`event_kinds`).
    not_renamed = or_(score_events.c.subkind.is_(None), score_events.c.subkind == HIDES)
    found: list[ReachingEvent] = []
    for whose, order in (
        (seq.is_not(None), seq),
        (and_(seq.is_(None), score_events.c.kind == EventKind.ADJUST, not_renamed), version),
    ):
        rows = connection.execute(
            select(version, READING_US.label("at_us"))
            .where(
                score_events.c.player_key == player,
                score_events.c.board_key + _NOTHING == key_of(board),
                whose,
                condition,
            )
            .order_by(order.desc() if newest else order)
            .limit(1)
        )
        found += [ReachingEvent(row.version, row.at_us) for row in rows]
    choose = max if newest else min
    return choose(found, key=lambda reached: reached.version, default=None)
