"""The statements of a PostgreSQL commit: lock boards, append a decision, and look for a lost commit."""

from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import Event
from scoreboard.store.event_kinds import HIDES
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql.errors import FAILURES, Conflict, is_conflict

_LOCK: Final = f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, key) FROM unnest('{{%s}}'::int[]) AS b(key)"

_APPEND: Final = f"""
    WITH e AS MATERIALIZED (
        SELECT * FROM unnest(
               $1::int[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
               $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::uuid[], $13::text[],
               $14::text[], $15::bigint[], $16::bigint[], $17::boolean[], $18::uuid[], $19::text[],
               $20::bigint[], $21::bigint[], $22::bigint[], $23::text[])
            AS e(board_key, version, event_id, kind, player_key, seq, action_id, action_seq, points, score,
                 at_us, idempotency_digest, user_id, name, reached_version, reached_at_us, listed,
                 proof_digest, token_id, address_hash, agent_hash, clock_us, subkind)
    ), moved AS (
        INSERT INTO players (key, user_id, name, seq)
        SELECT player_key, user_id, name, seq FROM e ORDER BY user_id COLLATE "C"
        ON CONFLICT (key) DO UPDATE SET name = EXCLUDED.name, seq = EXCLUDED.seq
                                  WHERE players.seq = EXCLUDED.seq - 1 AND NOT players.is_banned
        RETURNING key
    ), whole AS MATERIALIZED (
        SELECT (SELECT count(*) FROM moved) = (SELECT count(*) FROM e) AS is_whole
    ), ledger AS (
        INSERT INTO score_events (board_key, version, event_id, kind, player_key, seq, action_id, action_seq,
                                  points, score, at_us, idempotency_digest, proof_digest, token_id,
                                  address_hash, agent_hash, clock_us, subkind)
        SELECT board_key, version, event_id, kind, player_key, seq, action_id, action_seq,
               points, score, at_us, idempotency_digest, proof_digest, token_id, address_hash, agent_hash,
               clock_us, subkind
          FROM e, whole WHERE is_whole
    ), placed AS (
        INSERT INTO standings (board_key, period, player_key, score, reached_version, reached_at_us, version,
                               listed)
        SELECT board_key, '{ALL_TIME}', player_key, score, reached_version, reached_at_us, version, listed
          FROM e, whole WHERE is_whole
        ON CONFLICT (board_key, period, player_key) DO UPDATE SET
               score = EXCLUDED.score, reached_version = EXCLUDED.reached_version,
               reached_at_us = EXCLUDED.reached_at_us, version = EXCLUDED.version, listed = EXCLUDED.listed
    ), heads AS (
        UPDATE boards SET version = h.version, at_us = h.at_us
          FROM (SELECT board_key, max(version) AS version, max(at_us) AS at_us FROM e GROUP BY board_key) h,
               whole
         WHERE boards.key = h.board_key AND is_whole
    )
    SELECT is_whole FROM whole
"""

_FIND_EVENT: Final = """
    SELECT true FROM score_events e JOIN boards h ON h.key = e.board_key
     WHERE h.id = $1 AND e.version = $2 AND e.event_id = $3
"""

CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The database's clock."""


def lock(board_keys: Iterable[int]) -> str:
    """Return the statement that locks boards for writing. It is sent with the BEGIN, without parameters.

    The queue of this lock is first come, first served; that of a row lock is not. The keys are sorted, so
    that no two processes wait for each other. The facts are read by a later statement, with a snapshot that
    is newer than the lock.
    """
    return _LOCK % ",".join(map(str, sorted(board_keys)))


async def append(raw: asyncpg.Connection, decision: Decision, board_keys: Mapping[str, int]) -> None:
    """Append the events of a decision, and update players, standings and heads, in one statement.

    Raises Conflict if a player was banned, or its `seq` has changed, since the facts were read. Then only
    players were written, and the caller rolls back. `seq` is updated by compare-and-set. The statement waits
    for a player's row that another process has locked, for another board. All processes lock players in the
    order of their user ids, so that no two wait for each other.
    """
    events = decision.events
    reached = {(c.board, standing.version): standing for c in decision.changes for standing in c.standings}
    standings = [reached[event.board, event.version] for event in events]
    columns = (
        [board_keys[e.board] for e in events],
        [e.version for e in events],
        [e.event_id for e in events],
        [e.kind.value for e in events],
        [e.player for e in events],
        [e.seq for e in events],
        [e.action_id for e in events],
        [e.action_seq for e in events],
        [e.points for e in events],
        [e.score for e in events],
        [e.at_us for e in events],
        [e.idempotency_digest for e in events],
        [s.user_id for s in standings],
        [s.name for s in standings],
        [s.reached_version for s in standings],
        [s.reached_at_us for s in standings],
        [s.listed for s in standings],
        [e.proof_digest for e in events],
        [e.provenance.token_id for e in events],
        [e.provenance.address_hash for e in events],
        [e.provenance.agent_hash for e in events],
        [e.clock_us for e in events],
        [HIDES if e.hides else None for e in events],
    )
    try:
        is_whole = await raw.fetchval(_APPEND, *columns)
    except FAILURES as error:
        if is_conflict(error):
            raise Conflict from error
        raise
    if not is_whole:
        raise Conflict


async def is_in_ledger(raw: asyncpg.Connection, event: Event) -> bool:
    """Return True if this event was committed."""
    return await raw.fetchval(_FIND_EVENT, event.board, event.version, event.event_id) is not None
