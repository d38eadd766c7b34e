"""The statements that append a decision in SQLite, each executed once per batch, with one JSON array."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, TextClause, text

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import Event
from scoreboard.store.event_kinds import HIDES

_UPDATE_PLAYER: Final = "ON CONFLICT (key) DO UPDATE SET name = excluded.name, seq = excluded.seq"

_UPDATE_STANDING: Final = """
    ON CONFLICT (board_key, period, player_key) DO UPDATE SET
           score = excluded.score, reached_version = excluded.reached_version,
           reached_at_us = excluded.reached_at_us, version = excluded.version, listed = excluded.listed"""

_MOVE_BOARD: Final = text("UPDATE boards SET version = :version, at_us = :at_us WHERE id = :board")

_FIND_EVENT: Final = text(
    """
    SELECT 1 FROM score_events e JOIN boards h ON h.key = e.board_key
     WHERE h.id = :board AND e.version = :version AND e.event_id = :event_id
    """
)


def append(connection: Connection, decision: Decision, board_keys: Mapping[str, int]) -> None:
    """Append the events of a decision, and update players, standings and heads."""
    seqs = {event.player: event.seq for event in decision.events}
    changed = [(board_keys[change.board], s) for change in decision.changes for s in change.standings]
    players = [
        {"key": s.player, "user_id": s.user_id, "name": s.name, "seq": seqs[s.player]} for _, s in changed
    ]
    standings = [
        {
            "board_key": board_key,
            "period": ALL_TIME,
            "player_key": s.player,
            "score": s.score,
            "reached_version": s.reached_version,
            "reached_at_us": s.reached_at_us,
            "version": s.version,
            "listed": int(s.listed),
        }
        for board_key, s in changed
    ]
    _insert(connection, "players", players, _UPDATE_PLAYER)
    _insert(connection, "score_events", [_event_row(e, board_keys[e.board]) for e in decision.events])
    _insert(connection, "standings", standings, _UPDATE_STANDING)
    for board, event in {event.board: event for event in decision.events}.items():
        connection.execute(_MOVE_BOARD, {"version": event.version, "at_us": event.at_us, "board": board})


def _insert(
    connection: Connection, table: str, rows: Sequence[Mapping[str, object]], on_conflict: str = ""
) -> None:
    statement = _insertion(table, tuple(rows[0]), on_conflict)
    connection.execute(statement, {"rows": json.dumps([[*row.values()] for row in rows])})


@cache
def _insertion(table: str, columns: Sequence[str], on_conflict: str) -> TextClause:
    values = ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(columns)))
    # Without a WHERE, SQLite takes the ON of a conflict for that of a join.
    return text(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM json_each(:rows) WHERE true "
        f"{on_conflict}"
    )


def _event_row(event: Event, board_key: int) -> dict[str, object]:
    key, proof = event.idempotency_digest, event.proof_digest
    return {
        "board_key": board_key,
        "version": event.version,
        "event_id": event.event_id.hex,
        "kind": event.kind,
        "player_key": event.player,
        "seq": event.seq,
        "action_id": event.action_id,
        "action_seq": event.action_seq,
        "points": event.points,
        "score": event.score,
        "at_us": event.at_us,
        "idempotency_digest": None if key is None else key.hex,
        "proof_digest": None if proof is None else proof.hex,
        "token_id": event.provenance.token_id,
        "address_hash": event.provenance.address_hash,
        "agent_hash": event.provenance.agent_hash,
        "clock_us": event.clock_us,
        "subkind": HIDES if event.hides else None,
    }


def is_in_ledger(connection: Connection, event: Event) -> bool:
    """Return True if this event was committed."""
    found = connection.execute(
        _FIND_EVENT, {"board": event.board, "version": event.version, "event_id": event.event_id.hex}
    )
    return found.first() is not None
