"""Write a correction with the same statements in both databases, under the lock of all boards."""

from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, insert, select, update

from scoreboard.domain.administration import Correction, DecideCorrection
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import Event, EventKind
from scoreboard.domain.standings import Player, Standing
from scoreboard.store.administration.facts import read_facts
from scoreboard.store.boards import board_keys
from scoreboard.store.event_kinds import stored_kind
from scoreboard.store.tables import boards, corrections, players, score_events, standings

ERASED_REASON: Final = "(erased)"
"""Replaces the reasons of an erased player's corrections: they may name the player."""


def correct_and_append(
    connection: Connection, correction: Correction, decide: DecideCorrection, clock_us: int
) -> Decision:
    """Read the facts, call `decide` and write its decision. Raises what `decide` raises."""
    if correction.kind is EventKind.HIDE and correction.board is not None:
        _add_player(connection, correction.user_id)
    decision, player = decide(read_facts(connection, correction, clock_us))
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
        connection.execute(
            insert(score_events), [_event_row(event, keys[event.board]) for event in decision.events]
        )
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
            ],
        )
    for board, newest in {event.board: event for event in decision.events}.items():
        connection.execute(
            update(boards).where(boards.c.id == board).values(version=newest.version, at_us=newest.at_us)
        )
    for change in decision.changes:
        for standing in change.standings:
            _put_standing(connection, keys[change.board], standing)
    if correction.kind is EventKind.ERASE:
        _erase(connection, player.key)


def _put_standing(connection: Connection, board_key: int, standing: Standing) -> None:
    key = {"board_key": board_key, "period": ALL_TIME, "player_key": standing.player}
    values = {
        "score": standing.score,
        "reached_version": standing.reached_version,
        "reached_at_us": standing.reached_at_us,
        "version": standing.version,
        "listed": standing.listed,
    }
    is_same = [standings.c[name] == value for name, value in key.items()]
    if connection.execute(update(standings).where(*is_same).values(values)).rowcount == 0:
        connection.execute(insert(standings).values(key | values))


def _event_row(event: Event, board_key: int) -> dict[str, object]:
    kind, subkind = stored_kind(event)
    return {
        "board_key": board_key,
        "version": event.version,
        "event_id": event.event_id,
        "kind": kind,
        "subkind": subkind,
        "player_key": event.player,
        "points": event.points,
        "score": event.score,
        "at_us": event.at_us,
        "idempotency_digest": event.idempotency_digest,
        "target_version": event.target_version,
        "clock_us": event.clock_us,
    }


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
