"""What a commit asks of PostgreSQL: three statements, each executed once a batch, which travels as arrays.

A plan is made once, maybe while the tables are empty, and has to be good at a million players. So every look-up is
LATERAL … LIMIT 1 in the order of the one index that is meant: on empty tables PostgreSQL sees no difference between
that and another index with the same first columns, but for the sorting that the other one would need. Every array is
cast, since nothing else tells its type.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision, SubmissionFacts
from scoreboard.domain.events import Event
from scoreboard.domain.submissions import Submission
from scoreboard.store.facts import make_facts
from scoreboard.store.kinds import HIDES
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.rejected_content import BoardMissing

LOCK: Final = f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, key) FROM unnest('{{%s}}'::int[]) AS b(key)"
"""Sent with the BEGIN, so it is not a prepared statement: the keys are this program's integers.

The lock's queue is first come, first served, which a row lock's is not. The keys come sorted: no two processes can wait
for each other. It is a statement of its own, since the facts must be read with a snapshot that is newer.
"""

FACTS: Final = text(
    f"""
    SELECT coalesce(p.key, nextval('players_key_seq')),
           coalesce(CAST(:clock_us AS bigint), CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)),
           h.id, h.version, h.at_us, n.clock_us, p.name, p.seq, p.is_banned, p.is_hidden, p.is_name_kept, p.renames,
           s.score, s.reached_version, s.reached_at_us, s.version, s.listed,
           u.action_seq, u.at_us, d.at_us, q.used, f.used, w.at_us,
           r.event_id, o.id, r.version, r.kind, r.seq, r.action_id, r.action_seq, r.points, r.score, r.at_us, r.clock_us
      FROM unnest(CAST(:users AS text[]), CAST(:boards AS int[]), CAST(:actions AS text[]), CAST(:digests AS text[]),
                  CAST(:per_day AS bigint[]), CAST(:required AS text[]), CAST(:proofs AS text[]))
           WITH ORDINALITY AS b(user_id, board_key, action_id, digests, per_day, required, proofs, number)
      JOIN boards h ON h.key = b.board_key
      LEFT JOIN LATERAL (
           SELECT clock_us FROM score_events
            WHERE h.at_us > coalesce(
                  CAST(:clock_us AS bigint), CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS bigint))
              AND board_key = b.board_key AND version BETWEEN h.version AND h.version
            ORDER BY version LIMIT 1) n ON true
      LEFT JOIN LATERAL (
           SELECT key, name, seq, is_banned, is_hidden, is_name_kept, renames FROM players
            WHERE user_id = b.user_id LIMIT 1) p ON true
      LEFT JOIN LATERAL (
           SELECT score, reached_version, reached_at_us, version, listed FROM standings
            WHERE board_key = b.board_key AND period = '{ALL_TIME}' AND player_key BETWEEN p.key AND p.key
            ORDER BY player_key LIMIT 1) s ON true
      LEFT JOIN LATERAL (
           SELECT action_seq, coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = p.key AND action_id = b.action_id
            ORDER BY action_seq DESC LIMIT 1) u ON true
      LEFT JOIN LATERAL (
           SELECT coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = p.key AND action_id = b.action_id
              AND action_seq BETWEEN u.action_seq + 1 - b.per_day AND u.action_seq + 1 - b.per_day
            ORDER BY action_seq LIMIT 1) d ON true
      LEFT JOIN LATERAL (
           SELECT true AS used FROM score_events WHERE player_key = p.key AND action_id = b.required
            ORDER BY action_seq LIMIT 1) q ON true
      LEFT JOIN LATERAL (
           SELECT true AS used FROM unnest(CAST(string_to_array(b.proofs, ',') AS uuid[])) AS g(digest), LATERAL (
                  SELECT true FROM score_events WHERE proof_digest BETWEEN g.digest AND g.digest
                   ORDER BY proof_digest LIMIT 1) one LIMIT 1) f ON true
      LEFT JOIN LATERAL (
           SELECT coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = p.key AND seq BETWEEN p.seq + 1 - :limit_count AND p.seq + 1 - :limit_count
            ORDER BY seq LIMIT 1) w ON true
      LEFT JOIN LATERAL (
           SELECT one.* FROM unnest(CAST(string_to_array(b.digests, ',') AS uuid[])) AS g(digest), LATERAL (
                  SELECT * FROM score_events
                   WHERE player_key = p.key AND idempotency_digest BETWEEN g.digest AND g.digest
                   ORDER BY idempotency_digest LIMIT 1) one LIMIT 1) r ON true
      LEFT JOIN boards o ON o.key = r.board_key
     ORDER BY b.number
    """
)
"""One row for each submission of the batch, in its order. `digests` and `proofs` are joined by commas, or null."""

APPEND: Final = text(
    f"""
    WITH e AS MATERIALIZED (
        SELECT * FROM unnest(
               CAST(:boards AS int[]), CAST(:versions AS bigint[]), CAST(:event_ids AS uuid[]), CAST(:kinds AS text[]),
               CAST(:players AS bigint[]), CAST(:seqs AS bigint[]), CAST(:actions AS text[]),
               CAST(:action_seqs AS bigint[]), CAST(:points AS bigint[]), CAST(:scores AS bigint[]),
               CAST(:ats_us AS bigint[]), CAST(:digests AS uuid[]), CAST(:users AS text[]), CAST(:names AS text[]),
               CAST(:reached_versions AS bigint[]), CAST(:reached_ats_us AS bigint[]), CAST(:listed AS boolean[]),
               CAST(:proofs AS uuid[]), CAST(:token_ids AS text[]), CAST(:addresses AS bigint[]),
               CAST(:agents AS bigint[]), CAST(:clocks_us AS bigint[]), CAST(:subkinds AS text[]))
            AS e(board_key, version, event_id, kind, player_key, seq, action_id, action_seq, points, score, at_us,
                 idempotency_digest, user_id, name, reached_version, reached_at_us, listed, proof_digest, token_id,
                 address_hash, agent_hash, clock_us, subkind)
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
                                  points, score, at_us, idempotency_digest, proof_digest, token_id, address_hash,
                                  agent_hash, clock_us, subkind)
        SELECT board_key, version, event_id, kind, player_key, seq, action_id, action_seq,
               points, score, at_us, idempotency_digest, proof_digest, token_id, address_hash, agent_hash, clock_us,
               subkind
          FROM e, whole WHERE is_whole
    ), placed AS (
        INSERT INTO standings (board_key, period, player_key, score, reached_version, reached_at_us, version, listed)
        SELECT board_key, '{ALL_TIME}', player_key, score, reached_version, reached_at_us, version, listed
          FROM e, whole WHERE is_whole
        ON CONFLICT (board_key, period, player_key) DO UPDATE SET
               score = EXCLUDED.score, reached_version = EXCLUDED.reached_version,
               reached_at_us = EXCLUDED.reached_at_us, version = EXCLUDED.version, listed = EXCLUDED.listed
    ), heads AS (
        UPDATE boards SET version = h.version, at_us = h.at_us
          FROM (SELECT board_key, max(version) AS version, max(at_us) AS at_us FROM e GROUP BY board_key) h, whole
         WHERE boards.key = h.board_key AND is_whole
    )
    SELECT is_whole FROM whole
    """
)
"""False, with nothing written but players, where a player's `seq` has moved since the facts were read, or the player
was banned: roll back then.

`seq` moves by compare-and-set. A row that another process holds, for a board that is not ours, is waited for here; all
processes take players in the order of their user ids, so no two can wait for each other.
"""

FIND_EVENT: Final = text(
    """
    SELECT 1 FROM score_events WHERE board_key = :board AND version = :version AND event_id = CAST(:event_id AS uuid)
    """
)


def lock(board_keys: Iterable[int]) -> str:
    """Return the statement that locks these boards for writing."""
    return LOCK % ",".join(map(str, sorted(board_keys)))


async def clock_us(connection: AsyncConnection) -> int:
    """The database's own clock."""
    told = await connection.execute(
        text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
    )
    return int(told.scalar_one())


async def read_facts(
    connection: AsyncConnection,
    batch: Sequence[Submission],
    board_keys: Mapping[str, int],
    limit_count: int,
    clock_us: int | None,
) -> list[SubmissionFacts]:
    """Return the facts of a batch, in its order. Without a clock reading of the caller, the database's clock is used.

    Raises BoardMissing.
    """
    found = await connection.execute(
        FACTS,
        {
            "users": [submission.user_id for submission in batch],
            "boards": [board_keys[submission.board] for submission in batch],
            "actions": [submission.action.id for submission in batch],
            "digests": [",".join(submission.all_digests) or None for submission in batch],
            "per_day": [submission.action.max_per_day for submission in batch],
            "required": [submission.action.requires for submission in batch],
            "proofs": [",".join(submission.all_proof_digests) or None for submission in batch],
            "limit_count": limit_count,
            "clock_us": clock_us,
        },
    )
    rows = found.all()
    # After the restore of a backup, a key may belong to another board.
    if [row[2] for row in rows] != [submission.board for submission in batch]:
        raise BoardMissing
    # The latest reading of the clock.
    at_us = max(row[1] for row in rows)
    return [
        make_facts(row[3:], submission, at_us, row[0]) for row, submission in zip(rows, batch, strict=True)
    ]


async def append(connection: AsyncConnection, decision: Decision, board_keys: Mapping[str, int]) -> bool:
    """Write what a batch came to: players, ledger, standings, heads. False where it has to be decided again."""
    appended = await connection.execute(APPEND, _arrays(decision, board_keys))
    return bool(appended.scalar_one())


def _arrays(decision: Decision, board_keys: Mapping[str, int]) -> dict[str, Any]:
    """One row an event: it, and the standing that it leads to."""
    events = decision.events
    reached = {(c.board, standing.version): standing for c in decision.changes for standing in c.standings}
    standings = [reached[event.board, event.version] for event in events]
    return {
        "boards": [board_keys[e.board] for e in events],
        "versions": [e.version for e in events],
        "event_ids": [e.event_id for e in events],
        "kinds": [e.kind.value for e in events],
        "players": [e.player for e in events],
        "seqs": [e.seq for e in events],
        "actions": [e.action_id for e in events],
        "action_seqs": [e.action_seq for e in events],
        "points": [e.points for e in events],
        "scores": [e.score for e in events],
        "ats_us": [e.at_us for e in events],
        "digests": [e.idempotency_digest for e in events],
        "users": [s.user_id for s in standings],
        "names": [s.name for s in standings],
        "reached_versions": [s.reached_version for s in standings],
        "reached_ats_us": [s.reached_at_us for s in standings],
        "listed": [s.listed for s in standings],
        "proofs": [e.proof_digest for e in events],
        "token_ids": [e.provenance.token_id for e in events],
        "addresses": [e.provenance.address_hash for e in events],
        "agents": [e.provenance.agent_hash for e in events],
        "clocks_us": [e.clock_us for e in events],
        "subkinds": [HIDES if e.hides else None for e in events],
    }


async def is_in_ledger(connection: AsyncConnection, event: Event, board_keys: Mapping[str, int]) -> bool:
    """Whether that very event was committed."""
    found = await connection.execute(
        FIND_EVENT, {"board": board_keys[event.board], "version": event.version, "event_id": event.event_id}
    )
    return found.first() is not None
