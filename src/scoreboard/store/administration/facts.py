"""Read the facts of a correction: the same statements for both databases."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, not_, select

from scoreboard.domain.administration import MAX_TARGETS, Correction, CorrectionFacts, ValuedEvent
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event, EventKind, ReachingEvent
from scoreboard.domain.folding import has_values
from scoreboard.domain.rollovers import PastPeriods
from scoreboard.domain.standings import Player
from scoreboard.store import reads
from scoreboard.store.administration.reads import all_standings_of, player_of
from scoreboard.store.boards import definitions, key_of
from scoreboard.store.tables import READING_US, boards, players, score_events
from scoreboard.store.voids import are_void, is_void, reached_after


def read_facts(connection: Connection, correction: Correction, reading_us: int) -> CorrectionFacts:
    """Read everything that a correction depends on."""
    heads = reads.heads(connection)
    target = _target(connection, correction)
    player = _player(connection, correction, target)
    if player is None:
        return CorrectionFacts(
            reading_us, None, heads, {}, standings={}, targets=(), reached={}, events={}, repeated=None
        )
    targets = [] if target is None else [target]
    if correction.since_us is not None:
        targets = _targets_since(connection, player.key, correction.since_us)
    defined = definitions(connection)
    reached: dict[tuple[str, str], ReachingEvent] = {}
    events: dict[str, Sequence[ValuedEvent]] = {}
    for board in sorted({target.event.board for target in targets}):
        periods = _past_periods(connection, board)
        for index, target in enumerate(targets):
            if target.event.board == board:
                targets[index] = replace(target, periods=periods.of(target.event.version))
        own = [target for target in targets if target.event.board == board]
        if defined[board].is_additive:
            found = reached_after(connection, correction.kind, player.key, own, periods)
            reached |= {(board, period): event for period, event in found.items()}
        else:
            events[board] = _valued_events(connection, board, player.key, defined[board], periods)
    return CorrectionFacts(
        reading_us=reading_us,
        player=player,
        heads=heads,
        definitions=defined,
        standings=all_standings_of(connection, player),
        targets=targets,
        reached=reached,
        events=events,
        repeated=_repeated(connection, player, correction),
    )


def _past_periods(connection: Connection, board: str) -> PastPeriods:
    """Return the rollovers of a board."""
    rows = connection.execute(
        select(score_events.c.version, score_events.c.period)
        # Any text is larger. So, and without an ORDER BY, SQLite uses the index of periods.
        .where(score_events.c.board_key == key_of(board), score_events.c.period > "")
    )
    periods = PastPeriods()
    for row in sorted(rows, key=lambda row: row.version):
        periods.append(row.version, row.period)
    return periods


def _valued_events(
    connection: Connection, board: str, player: int, definition: Definition, periods: PastPeriods
) -> Sequence[ValuedEvent]:
    """Return a player's events on a board that have values, in order."""
    rows = connection.execute(
        reads.EVENTS.add_columns(is_void.label("is_void"))
        .where(
            score_events.c.player_key == player,
            boards.c.id == board,
            score_events.c.kind.in_([EventKind.AWARD, EventKind.ADJUST]),
        )
        .order_by(score_events.c.version)
    )
    return [
        ValuedEvent(event, row.is_void, periods.of(event.version))
        for row in rows
        if has_values(definition, event := reads.event_of(board, row))
    ]


def _target(connection: Connection, correction: Correction) -> ValuedEvent | None:
    """Return the event that the correction names."""
    if correction.target_version is None:
        return None
    row = connection.execute(
        reads.EVENTS.where(
            boards.c.id == correction.board, score_events.c.version == correction.target_version
        )
    ).one_or_none()
    if row is None:
        return None
    (is_void,) = are_void(connection, [row])
    return ValuedEvent(reads.event_of(row.board, row), is_void)


def _player(connection: Connection, correction: Correction, target: ValuedEvent | None) -> Player | None:
    """Return the player that the correction names, or the player of the event that it names."""
    if correction.target_version is None:
        is_it = players.c.user_id == correction.user_id
    elif target is None:
        return None
    else:
        is_it = players.c.key == target.event.player
    row = connection.execute(select(players).where(is_it)).one_or_none()
    return None if row is None else player_of(row)


def _targets_since(connection: Connection, player: int, since_us: int) -> list[ValuedEvent]:
    """Return a player's awards since a time that are not void, oldest first."""
    rows = connection.execute(
        reads.EVENTS.where(
            score_events.c.player_key == player,
            score_events.c.seq.is_not(None),
            since_us <= READING_US,
            not_(is_void),
        )
        .order_by(score_events.c.seq)
        .limit(MAX_TARGETS)
    )
    return [ValuedEvent(reads.event_of(row.board, row), is_void=False) for row in rows]


def _repeated(connection: Connection, player: Player, correction: Correction) -> Event | None:
    """Return the event that was made with the same idempotency key."""
    if correction.idempotency_digest is None:
        return None
    digests = (correction.idempotency_digest, *(UUID(bytes=old) for old in correction.earlier_digests))
    row = connection.execute(
        reads.EVENTS.where(
            score_events.c.player_key == player.key, score_events.c.idempotency_digest.in_(digests)
        )
    ).first()
    return None if row is None else reads.event_of(row.board, row)
