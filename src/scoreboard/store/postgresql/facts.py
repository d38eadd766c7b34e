"""The facts statement of a commit in PostgreSQL: one row per submission of the batch, which is sent as arrays.

A plan is made once, possibly while the tables are empty, and must be fast with a million players. So every look-up is
LATERAL … LIMIT 1, sorted in the order of the index to use. On empty tables, PostgreSQL prefers another index with the
same first columns unless that index requires a sort. `x BETWEEN y AND y` keeps the sort from being optimized away.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.submissions import Submission
from scoreboard.store.facts import (
    NO_RARE_FACTS,
    Needs,
    batch_facts,
    digests_of,
    needs_of,
    needs_rare_facts,
    read_rare_facts,
)
from scoreboard.store.postgresql.connections import Transaction
from scoreboard.store.rejected_content import BoardMissing

_STATEMENT: Final = f"""
    SELECT coalesce(p.key, nextval('players_key_seq')) AS player_key,
           coalesce($2::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS clock_us,
           h.id AS board, h.version AS head_version, h.at_us AS head_at_us,
           p.name, p.seq, p.is_banned, p.is_hidden, p.is_name_kept, p.renames,
           s.score, s.reached_version, s.reached_at_us, s.version AS standing_version, s.listed,
           u.action_seq, u.at_us AS used_at_us, w.at_us AS limit_at_us, %(columns)s
      FROM unnest(%(arrays)s) WITH ORDINALITY AS b(%(names)s, number)
      JOIN boards h ON h.key = b.board_key
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
            WHERE player_key = p.key AND seq BETWEEN p.seq + 1 - $1::bigint AND p.seq + 1 - $1::bigint
            ORDER BY seq LIMIT 1) w ON true %(joins)s
     ORDER BY b.number
"""

_PER_DAY: Final = """
      LEFT JOIN LATERAL (
           SELECT coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = p.key AND action_id = b.action_id
              AND action_seq BETWEEN u.action_seq + 1 - b.per_day AND u.action_seq + 1 - b.per_day
            ORDER BY action_seq LIMIT 1) d ON true"""

_REQUIRED: Final = """
      LEFT JOIN LATERAL (
           SELECT true AS found FROM score_events WHERE player_key = p.key AND action_id = b.required
            ORDER BY action_seq LIMIT 1) q ON true"""

_KEY: Final = """
           (SELECT board_key, version FROM score_events
             WHERE player_key = p.key AND idempotency_digest BETWEEN b.%(name)s AND b.%(name)s
             ORDER BY idempotency_digest LIMIT 1)"""

_PROOF: Final = """
           (SELECT true AS found FROM score_events WHERE proof_digest BETWEEN b.%(name)s AND b.%(name)s
             ORDER BY proof_digest LIMIT 1)"""


@cache
def facts_statement(needs: Needs) -> str:
    """Return the statement with the look-ups that a batch needs, and no others.

    Its parameters are the count of the rate limit, the clock (null: the database's), and the arrays of `facts_arrays`.
    """
    keys = [f"key_{number}" for number in range(needs.keys)]
    proofs = [f"proof_{number}" for number in range(needs.proofs)]
    types = {"user_id": "text", "board_key": "int", "action_id": "text"}
    types |= ({"per_day": "bigint"} if needs.per_day else {}) | (
        {"required": "text"} if needs.required else {}
    )
    types |= dict.fromkeys((*keys, *proofs), "uuid")
    joins = (_PER_DAY if needs.per_day else "") + (_REQUIRED if needs.required else "")
    joins += _first(_KEY, keys, "r") + _first(_PROOF, proofs, "f")
    columns = (
        "d.at_us AS day_at_us" if needs.per_day else "NULL AS day_at_us",
        "q.found AS has_required" if needs.required else "NULL AS has_required",
        "r.board_key AS repeated_board_key, r.version AS repeated_version"
        if keys
        else "NULL AS repeated_board_key, NULL AS repeated_version",
        "f.found AS is_proof_used" if proofs else "NULL AS is_proof_used",
    )
    return _STATEMENT % {
        "columns": ", ".join(columns),
        "arrays": ", ".join(f"${number}::{name}[]" for number, name in enumerate(types.values(), start=3)),
        "names": ", ".join(types),
        "joins": joins,
    }


def _first(probe: str, names: Sequence[str], alias: str) -> str:
    """Return a join of the first row that any of these digests finds."""
    if not names:
        return ""
    probes = " UNION ALL".join(probe % {"name": name} for name in names)
    limit = " LIMIT 1" if len(names) > 1 else ""
    return f"\n      LEFT JOIN LATERAL ({probes}{limit}) {alias} ON true"


def facts_arrays(
    batch: Sequence[Submission], needs: Needs, board_keys: Mapping[str, int]
) -> list[Sequence[object]]:
    arrays: list[Sequence[object]] = [
        [submission.user_id for submission in batch],
        [board_keys[submission.board] for submission in batch],
        [submission.action.id for submission in batch],
    ]
    if needs.per_day:
        arrays.append([submission.action.max_per_day for submission in batch])
    if needs.required:
        arrays.append([submission.action.requires for submission in batch])
    arrays += zip(*(digests_of(submission.key, needs.keys) for submission in batch), strict=True)
    proofs = [None if submission.proof is None else submission.proof.digest for submission in batch]
    arrays += zip(*(digests_of(digest, needs.proofs) for digest in proofs), strict=True)
    return arrays


async def read_facts(
    transaction: Transaction,
    batch: Sequence[Submission],
    board_keys: Mapping[str, int],
    limit_count: int,
    clock_us: int | None,
) -> BatchFacts:
    """Return the facts about a batch. Without a clock reading of the caller, the database's clock is used.

    Raises BoardMissing.
    """
    needs = needs_of(batch)
    rows = await transaction.raw.fetch(
        facts_statement(needs), limit_count, clock_us, *facts_arrays(batch, needs, board_keys)
    )
    # After the restore of a backup, a key may belong to another board.
    if [row["board"] for row in rows] != [submission.board for submission in batch]:
        raise BoardMissing
    # The latest reading of the clock.
    at_us = max(row["clock_us"] for row in rows)
    rare = NO_RARE_FACTS
    if needs_rare_facts(rows, at_us):
        rare = await transaction.connection.run_sync(read_rare_facts, rows, at_us)
    return batch_facts(batch, rows, (row["player_key"] for row in rows), at_us, rare)
