"""The statements of a commit in SQLite that append a decision, each executed once per batch, with one JSON array."""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import Event
from scoreboard.store.event_kinds import HIDES

_PUT_PLAYERS: Final = text(
    """
    INSERT INTO players (key, user_id, name, seq)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]')
      FROM json_each(:rows) WHERE true
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, seq = excluded.seq
    """
)

_APPEND_EVENTS: Final = text(
    """
    INSERT INTO score_events (board_key, version, event_id, kind, player_key, seq, action_id, action_seq,
                              points, score, at_us, idempotency_digest, proof_digest, token_id, address_hash,
                              agent_hash, clock_us, subkind)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),
           json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),
           json_extract(value, '$[12]'), json_extract(value, '$[13]'), json_extract(value, '$[14]'),
           json_extract(value, '$[15]'), json_extract(value, '$[16]'), json_extract(value, '$[17]')
      FROM json_each(:rows)
    """
)

_PUT_STANDINGS: Final = text(
    f"""
    INSERT INTO standings (board_key, period, player_key, score, reached_version, reached_at_us, version, listed)
    SELECT json_extract(value, '$[0]'), '{ALL_TIME}', json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           json_extract(value, '$[6]')
      FROM json_each(:rows) WHERE true
    ON CONFLICT (board_key, period, player_key) DO UPDATE SET
           score = excluded.score, reached_version = excluded.reached_version, reached_at_us = excluded.reached_at_us,
           version = excluded.version, listed = excluded.listed
    """
)

_MOVE_BOARDS: Final = text("UPDATE boards SET version = :version, at_us = :at_us WHERE id = :board")

_FIND_EVENT: Final = text(
    """
    SELECT 1 FROM score_events e JOIN boards h ON h.key = e.board_key
     WHERE h.id = :board AND e.version = :version AND e.event_id = :event_id
    """
)


def append(connection: Connection, decision: Decision, board_keys: Mapping[str, int]) -> None:
    """Append the events of a decision, and update players, standings and heads."""
    seqs = {event.player: event.seq for event in decision.events}
    newest = {event.board: event for event in decision.events}
    standings = [(board_keys[change.board], s) for change in decision.changes for s in change.standings]
    _put(connection, _PUT_PLAYERS, [(s.player, s.user_id, s.name, seqs[s.player]) for _, s in standings])
    _put(connection, _APPEND_EVENTS, [_event_row(e, board_keys[e.board]) for e in decision.events])
    _put(
        connection,
        _PUT_STANDINGS,
        [
            (key, s.player, s.score, s.reached_version, s.reached_at_us, s.version, int(s.listed))
            for key, s in standings
        ],
    )
    for board, event in newest.items():
        connection.execute(_MOVE_BOARDS, {"version": event.version, "at_us": event.at_us, "board": board})


def _put(connection: Connection, statement: TextClause, rows: Sequence[Sequence[object]]) -> None:
    connection.execute(statement, {"rows": json.dumps(rows)})


def _event_row(event: Event, board_key: int) -> tuple[object, ...]:
    return (
        board_key,
        event.version,
        event.event_id.hex,
        event.kind,
        event.player,
        event.seq,
        event.action_id,
        event.action_seq,
        event.points,
        event.score,
        event.at_us,
        _hex(event.idempotency_digest),
        _hex(event.proof_digest),
        event.provenance.token_id,
        event.provenance.address_hash,
        event.provenance.agent_hash,
        event.clock_us,
        HIDES if event.hides else None,
    )


def _hex(digest: UUID | None) -> str | None:
    return None if digest is None else digest.hex


def is_in_ledger(connection: Connection, event: Event) -> bool:
    """Return True if this event was committed."""
    found = connection.execute(
        _FIND_EVENT, {"board": event.board, "version": event.version, "event_id": event.event_id.hex}
    )
    return found.first() is not None
