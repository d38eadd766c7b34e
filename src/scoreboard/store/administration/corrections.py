"""Write a correction with the same statements in both databases, under the lock of all boards."""

from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scoreboard.domain.administration import Correction, DecideCorrection
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import NO_PLAYER, EventKind
from scoreboard.domain.standings import Player
from scoreboard.store.administration.facts import read_facts
from scoreboard.store.boards import board_keys, definitions
from scoreboard.store.rows import Columns, event_columns, opened_periods, standing_columns
from scoreboard.store.tables import boards, corrections, players, score_events, standings

ERASED_REASON: Final = "(erased)"
"""Replaces the reasons of an erased player's corrections: they may name the player."""


def correct_and_append(
    connection: Connection, correction: Correction, decide: DecideCorrection, reading_us: int
) -> Decision:
    """Read the facts, call `decide` and write its decision. Raises what `decide` raises."""
    if correction.kind is EventKind.HIDE and correction.board is not None:
        _add_player(connection, correction.user_id)
    decision, player = decide(read_facts(connection, correction, reading_us))
    if player is not None:
        _append(connection, correction, player, decision)
    return decision


def _add_player(connection: Connection, user_id: str | None) -> None:
    """Add a player who has not scored yet, so that it can be hidden before."""
    known = connection.execute(select(players.c.key).where(players.c.user_id == user_id)).first()
    if known is None:
        connection.execute(insert(players).values(user_id=user_id, seq=0))


def _append(connection: Connection, correction: Correction, player: Player, decision: Decision) -> None:
    keys = board_keys(connection)
    connection.execute(update(players).where(players.c.key == player.key).values(asdict(player)))
    if decision.events:
        connection.execute(insert(score_events), _rows(event_columns(decision.events, keys)))
        connection.execute(
            insert(corrections),
            [
                {
                    "board_key": keys[event.board],
                    "version": event.version,
                    "at_us": event.at_us,
                    "actor": correction.actor,
                    "reason": correction.reason,
                }
                for event in decision.events
                if event.player != NO_PLAYER
            ],
        )
    for board, newest in {event.board: event for event in decision.events}.items():
        connection.execute(
            update(boards).where(boards.c.id == board).values(version=newest.version, at_us=newest.at_us)
        )
    for board, periods in opened_periods(decision).items():
        connection.execute(update(boards).where(boards.c.id == board).values(**periods))
    _put_standings(connection, standing_columns(decision.changes, keys, definitions(connection)))
    if correction.kind is EventKind.ERASE:
        _erase(connection, player.key)


def _put_standings(connection: Connection, columns: Columns) -> None:
    """Insert or replace standings. A ban may change thousands of a player's standings."""
    rows = _rows(columns)
    if not rows:
        return
    upsert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(standings)
    changed = {name: upsert.excluded[name] for name in columns if name not in standings.primary_key.columns}
    connection.execute(
        upsert.on_conflict_do_update(index_elements=[*standings.primary_key.columns], set_=changed), rows
    )


def _rows(columns: Columns) -> list[dict[str, object]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _erase(connection: Connection, player: int) -> None:
    """Remove the provenance of a player's events and the reasons of the player's corrections."""
    is_own = score_events.c.player_key == player
    connection.execute(
        update(score_events).where(is_own).values(token_id=None, address_hash=None, agent_hash=None)
    )
    own_corrections = select(1).where(
        is_own,
        score_events.c.kind != EventKind.ERASE,
        score_events.c.board_key == corrections.c.board_key,
        score_events.c.version == corrections.c.version,
    )
    connection.execute(update(corrections).where(own_corrections.exists()).values(reason=ERASED_REASON))
