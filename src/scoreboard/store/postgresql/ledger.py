"""The statements of a PostgreSQL commit: lock boards, append a decision, and look for a lost commit."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

import asyncpg

from scoreboard.domain.decisions import Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql.errors import CALL_ERRORS, Conflict, is_conflict
from scoreboard.store.rows import event_columns, opened_periods, player_of_events, standing_columns

_LOCK: Final = f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, key) FROM unnest('{{%s}}'::int[]) AS b(key)"

_APPEND: Final = """
    WITH e AS MATERIALIZED (
        SELECT * FROM unnest(%(event_arrays)s) AS e(%(event_names)s, user_id, name)
    ), moved AS (
        INSERT INTO players (key, user_id, name, seq)
        SELECT player_key, user_id, name, seq FROM e WHERE player_key IS NOT NULL
         ORDER BY user_id COLLATE "C"
        ON CONFLICT (key) DO UPDATE SET name = EXCLUDED.name, seq = EXCLUDED.seq
                                  WHERE players.seq = EXCLUDED.seq - 1 AND NOT players.is_banned
        RETURNING key
    ), whole AS MATERIALIZED (
        SELECT (SELECT count(*) FROM moved) = (SELECT count(player_key) FROM e) AS is_whole
    ), ledger AS (
        INSERT INTO score_events (%(event_names)s)
        SELECT %(event_names)s FROM e, whole WHERE is_whole
    ), placed AS (
        INSERT INTO standings (%(standing_names)s)
        SELECT %(standing_names)s FROM unnest(%(standing_arrays)s) AS s(%(standing_names)s), whole
         WHERE is_whole
        ON CONFLICT (board_key, player_key, period) DO UPDATE SET %(assignments)s
    ), heads AS (
        UPDATE boards SET version = h.version, at_us = h.at_us
          FROM (SELECT board_key, max(version) AS version, max(at_us) AS at_us FROM e GROUP BY board_key) h,
               whole
         WHERE boards.key = h.board_key AND is_whole
    )
    SELECT is_whole FROM whole
"""

_TYPES: Final = (
    {"board_key": "int", "listed": "boolean"}
    | dict.fromkeys(("event_id", "idempotency_digest", "proof_digest"), "uuid")
    | dict.fromkeys(("kind", "subkind", "action_id", "token_id", "period", "user_id", "name"), "text")
)
"""The types of the columns that are not numbers of 64 bits."""

_OPEN: Final = "UPDATE boards SET day = $2, week = $3, month = $4 WHERE key = $1"

_FIND_EVENT: Final = """
    SELECT true FROM score_events e JOIN boards h ON h.key = e.board_key
     WHERE h.id = $1 AND e.version = $2 AND e.event_id = $3
"""


@cache
def _append_statement(event_names: Sequence[str], standing_names: Sequence[str]) -> str:
    """Return the statement that takes these columns of events, user ids and names, and columns of standings.

    Each column is an array.
    """
    events = [*event_names, "user_id", "name"]
    arrays = [
        f"${number}::{_TYPES.get(name, 'bigint')}[]"
        for number, name in enumerate((*events, *standing_names), start=1)
    ]
    return _APPEND % {
        "event_arrays": ", ".join(arrays[: len(events)]),
        "event_names": ", ".join(event_names),
        "standing_arrays": ", ".join(arrays[len(events) :]),
        "standing_names": ", ".join(standing_names),
        "assignments": ", ".join(
            f"{name} = EXCLUDED.{name}"
            for name in standing_names
            if name not in {"board_key", "player_key", "period"}
        ),
    }


CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The database's clock."""


def lock(board_keys: Iterable[int]) -> str:
    """Return the statement that locks boards for writing. It is sent with the BEGIN, without parameters.

    The queue of this lock is first come, first served; that of a row lock is not. The keys are sorted, so
    that no two processes wait for each other. The facts are read by a later statement, with a snapshot that
    is newer than the lock.
    """
    return _LOCK % ",".join(map(str, sorted(board_keys)))


async def append(
    raw: asyncpg.Connection,
    decision: Decision,
    board_keys: Mapping[str, int],
    definitions: Mapping[str, Definition],
) -> None:
    """Append the events of a decision, and update players, standings and heads, in one statement.

    Raises Conflict if a player was banned, or its `seq` has changed, since the facts were read. Then only
    players were written, and the caller rolls back. `seq` is updated by compare-and-set. The statement waits
    for a player's row that another process has locked, for another board. All processes lock players in the
    order of their user ids, so that no two wait for each other.
    """
    events = event_columns(decision.events, board_keys)
    players = player_of_events(decision.events, decision.changes)
    standings = standing_columns(decision.changes, board_keys, definitions)
    statement = _append_statement(tuple(events), tuple(standings))
    try:
        is_whole = await raw.fetchval(statement, *events.values(), *players.values(), *standings.values())
    except CALL_ERRORS as error:
        if is_conflict(error):
            raise Conflict from error
        raise
    if not is_whole:
        raise Conflict
    for board, periods in opened_periods(decision).items():
        await raw.execute(_OPEN, board_keys[board], *periods.values())


async def is_in_ledger(raw: asyncpg.Connection, event: Event) -> bool:
    """Return True if this event was committed."""
    return await raw.fetchval(_FIND_EVENT, event.board, event.version, event.event_id) is not None
