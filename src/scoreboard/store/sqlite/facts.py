"""The facts statement of a commit in SQLite: one row per submission of the batch, which is sent as one JSON array.

So the statement is executed once per batch. That matters: sqlite3 releases Python's global lock at every step, and next
to a busy event loop, getting it back takes up to a switch interval.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

from sqlalchemy import Connection, text

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.digests import Digest
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.submissions import Submission
from scoreboard.store.facts import batch_facts
from scoreboard.store.rejected_content import BoardMissing

LIMIT_PROBE: Final = """
           (SELECT coalesce(clock_us, at_us) FROM score_events w
             WHERE w.player_key = p.key AND w.seq = p.seq + 1 - :limit_count)"""

# A CASE evaluates a subquery only if its condition is true.
FACTS: Final = text(
    f"""
    SELECT p.key AS player_key, (SELECT max(key) FROM players) AS newest_player_key, h.key AS board_key,
           h.id AS board, h.version AS head_version, h.at_us AS head_at_us,
           p.name, p.seq, p.is_banned, p.is_hidden, p.is_name_kept, p.renames,
           s.score, s.reached_version, s.reached_at_us, s.version AS standing_version, s.listed,
           u.action_seq, coalesce(u.clock_us, u.at_us) AS used_at_us, {LIMIT_PROBE} AS limit_at_us,
           CASE WHEN json_extract(b.value, '$.per_day') IS NOT NULL THEN (
                SELECT coalesce(clock_us, at_us) FROM score_events d
                 WHERE d.player_key = p.key AND d.action_id = u.action_id
                   AND d.action_seq = u.action_seq + 1 - json_extract(b.value, '$.per_day')) END AS day_at_us,
           CASE WHEN json_extract(b.value, '$.required') IS NOT NULL THEN EXISTS (
                SELECT 1 FROM score_events q
                 WHERE q.player_key = p.key AND q.action_id = json_extract(b.value, '$.required')) END AS has_required,
           CASE WHEN json_extract(b.value, '$.proofs') IS NOT NULL THEN EXISTS (
                SELECT 1 FROM json_each(b.value, '$.proofs') g
                 CROSS JOIN score_events f WHERE f.proof_digest = g.value) END AS is_proof_used,
           r.board_key AS repeated_board_key, r.version AS repeated_version
      FROM json_each(:batch) b
      JOIN boards h ON h.id = json_extract(b.value, '$.board')
      LEFT JOIN players p ON p.user_id = json_extract(b.value, '$.user_id')
      LEFT JOIN standings s ON s.board_key = h.key AND s.period = '{ALL_TIME}' AND s.player_key = p.key
      LEFT JOIN score_events u ON u.player_key = p.key AND u.action_id = json_extract(b.value, '$.action_id')
            AND u.action_seq = (SELECT max(action_seq) FROM score_events l
                                 WHERE l.player_key = p.key AND l.action_id = json_extract(b.value, '$.action_id'))
      LEFT JOIN score_events r ON r.player_key = p.key AND r.idempotency_digest = (
                SELECT k.idempotency_digest FROM json_each(b.value, '$.keys') g
                 CROSS JOIN score_events k WHERE k.player_key = p.key AND k.idempotency_digest = g.value LIMIT 1)
     ORDER BY b.key
    """
)


def read_facts(
    connection: Connection, batch: Sequence[Submission], limit_count: int, clock_us: int
) -> tuple[BatchFacts, Mapping[str, int]]:
    """Return the facts about a batch, and the integer keys of its boards. Raises BoardMissing.

    A new player gets the next free integer key: the file is locked.
    """
    values = {
        "batch": json.dumps([_question(submission) for submission in batch]),
        "limit_count": limit_count,
    }
    rows = connection.execute(FACTS, values).mappings().all()
    if len(rows) < len(batch):
        raise BoardMissing
    new_keys = count((rows[0]["newest_player_key"] or 0) + 1)
    keys = [row["player_key"] or next(new_keys) for row in rows]
    board_keys = {row["board"]: row["board_key"] for row in rows}
    return batch_facts(connection, batch, rows, keys, clock_us), board_keys


def _question(submission: Submission) -> dict[str, object]:
    """Return what the statement needs to know. Without the optional keys, it does no look-ups for them."""
    action, proof = submission.action, submission.proof
    question: dict[str, object] = {
        "user_id": submission.user_id,
        "board": submission.board,
        "action_id": action.id,
    }
    if action.max_per_day is not None:
        question["per_day"] = action.max_per_day
    if action.requires is not None:
        question["required"] = action.requires
    if submission.key is not None:
        question["keys"] = _hexadecimal(submission.key)
    if proof is not None:
        question["proofs"] = _hexadecimal(proof.digest)
    return question


def _hexadecimal(digest: Digest) -> list[str]:
    return [digest.current.hex, *(value.hex() for value in digest.earlier)]
