"""The facts statement of a commit in SQLite: one row per submission of the batch, sent as one JSON array.

So the statement is executed once per batch. That matters: sqlite3 releases Python's global lock at every
step, and next to a busy event loop, getting it back takes up to a switch interval.
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

LIMIT_PROBE: Final = """\
           (SELECT coalesce(clock_us, at_us) FROM score_events limiting
             WHERE limiting.player_key = player.key AND limiting.seq = player.seq + 1 - :limit_count)"""

# A CASE evaluates a subquery only if its condition is true.
FACTS: Final = text(
    f"""
    SELECT player.key AS player_key, (SELECT max(key) FROM players) AS newest_player_key,
           head.key AS board_key, head.id AS board, head.version AS head_version, head.at_us AS head_at_us,
           player.name, player.seq, player.is_banned, player.is_hidden, player.is_name_kept, player.renames,
           standing.score, standing.reached_version, standing.reached_at_us,
           standing.version AS standing_version, standing.listed, used.action_seq,
           coalesce(used.clock_us, used.at_us) AS used_at_us, {LIMIT_PROBE} AS limit_at_us,
           CASE WHEN json_extract(batch.value, '$.per_day') IS NOT NULL THEN (
                SELECT coalesce(clock_us, at_us) FROM score_events day
                 WHERE day.player_key = player.key AND day.action_id = used.action_id
                   AND day.action_seq = used.action_seq + 1 - json_extract(batch.value, '$.per_day'))
           END AS day_at_us,
           CASE WHEN json_extract(batch.value, '$.required') IS NOT NULL THEN EXISTS (
                SELECT 1 FROM score_events required
                 WHERE required.player_key = player.key
                   AND required.action_id = json_extract(batch.value, '$.required')) END AS has_required,
           CASE WHEN json_extract(batch.value, '$.proofs') IS NOT NULL THEN EXISTS (
                SELECT 1 FROM json_each(batch.value, '$.proofs') digest
                 CROSS JOIN score_events used_proof WHERE used_proof.proof_digest = digest.value)
           END AS is_proof_used,
           repeated.board_key AS repeated_board_key, repeated.version AS repeated_version
      FROM json_each(:batch) batch
      JOIN boards head ON head.id = json_extract(batch.value, '$.board')
      LEFT JOIN players player ON player.user_id = json_extract(batch.value, '$.user_id')
      LEFT JOIN standings standing
             ON standing.board_key = head.key AND standing.period = '{ALL_TIME}'
             AND standing.player_key = player.key
      LEFT JOIN score_events used
             ON used.player_key = player.key AND used.action_id = json_extract(batch.value, '$.action_id')
            AND used.action_seq = (
                SELECT max(action_seq) FROM score_events latest
                 WHERE latest.player_key = player.key
                   AND latest.action_id = json_extract(batch.value, '$.action_id'))
      LEFT JOIN score_events repeated
             ON repeated.player_key = player.key AND repeated.idempotency_digest = (
                SELECT keyed.idempotency_digest FROM json_each(batch.value, '$.keys') digest
                 CROSS JOIN score_events keyed
                 WHERE keyed.player_key = player.key AND keyed.idempotency_digest = digest.value LIMIT 1)
     ORDER BY batch.key
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
