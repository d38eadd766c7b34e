"""The statements that append a decision in SQLite, each executed once per batch, with one JSON array."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from scoreboard.domain.decisions import Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event
from scoreboard.store.rows import Columns, event_columns, opened_periods, player_of_events, standing_columns

_KEYS: Final = {"players": ("key",), "standings": ("board_key", "player_key", "period")}
"""The primary keys of the tables whose rows change."""

_FIXED: Final = {"key", "user_id", "board_key", "player_key", "period"}
"""Columns of these rows that do not change."""

_MOVE_BOARD: Final = text("UPDATE boards SET version = :version, at_us = :at_us WHERE id = :board")
_OPEN: Final = text("UPDATE boards SET day = :day, week = :week, month = :month WHERE id = :board")

_FIND_EVENT: Final = text(
    """
    SELECT 1 FROM score_events e JOIN boards h ON h.key = e.board_key
     WHERE h.id = :board AND e.version = :version AND e.event_id = :event_id
    """
)


def append(
    connection: Connection,
    decision: Decision,
    board_keys: Mapping[str, int],
    definitions: Mapping[str, Definition],
) -> None:
    """Append the events of a decision, and update players, standings and heads."""
    events = event_columns(decision.events, board_keys)
    for name in ("event_id", "idempotency_digest", "proof_digest"):
        events[name] = [value.hex if isinstance(value, UUID) else None for value in events[name]]
    players: Columns = {"key": events["player_key"], "seq": events["seq"]}
    players |= player_of_events(decision.events, decision.changes)
    _insert(connection, "players", players)
    _insert(connection, "score_events", events)
    _insert(connection, "standings", standing_columns(decision.changes, board_keys, definitions))
    for board, event in {event.board: event for event in decision.events}.items():
        connection.execute(_MOVE_BOARD, {"version": event.version, "at_us": event.at_us, "board": board})
    for board, periods in opened_periods(decision).items():
        connection.execute(_OPEN, {"board": board, **periods})


def _insert(connection: Connection, table: str, columns: Columns) -> None:
    statement = _insertion(table, tuple(columns))
    connection.execute(statement, {"rows": json.dumps([*zip(*columns.values(), strict=True)])})


@cache
def _insertion(table: str, columns: Sequence[str]) -> TextClause:
    """Return the statement that inserts rows, and replaces those of players and standings that exist.

    Rows without a key are left out: a rollover has no player.
    """
    values = ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(columns)))
    keys = _KEYS.get(table, ())
    # Without a WHERE, SQLite takes the ON of a conflict for that of a join.
    condition, on_conflict = "true", ""
    if keys:
        condition = f"json_extract(value, '$[{columns.index(keys[0])}]') IS NOT NULL"
        assignments = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in _FIXED)
        on_conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {assignments}"
    return text(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM json_each(:rows) "
        f"WHERE {condition} {on_conflict}"
    )


def is_in_ledger(connection: Connection, event: Event) -> bool:
    """Return True if this event was committed."""
    found = connection.execute(
        _FIND_EVENT, {"board": event.board, "version": event.version, "event_id": event.event_id.hex}
    )
    return found.first() is not None
