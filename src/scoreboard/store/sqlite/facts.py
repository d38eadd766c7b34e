"""The facts statement of a commit in SQLite: one row per submission of the batch, sent as one JSON array.

So the statement is executed once per batch. That matters: sqlite3 releases Python's global lock at every
step, and next to a busy event loop, getting it back takes up to a switch interval.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from typing import Final

from sqlalchemy import Connection, TextClause, text

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.digests import Digest
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.submissions import Submission
from scoreboard.store.boards import board_keys
from scoreboard.store.facts import DEFAULT_SHAPE, FactsShape, batch_facts, shape_of
from scoreboard.store.rejected_content import BoardMissing

LIMIT_PROBE: Final = """\
           (SELECT coalesce(clock_us, at_us) FROM score_events limiting
             WHERE limiting.player_key = player.key AND limiting.seq = player.seq + 1 - :limit_count)"""

# A CASE evaluates a subquery only if its condition is true.
_FACTS: Final = """
    SELECT player.key AS player_key, (SELECT max(key) FROM players) AS newest_player_key,
           head.key AS board_key, head.id AS board, head.version AS head_version, head.at_us AS head_at_us,
           player.name, player.seq, player.is_banned, player.is_hidden, player.is_name_kept, player.renames,
           %(selected)s, used.action_seq,
           coalesce(used.clock_us, used.at_us) AS used_at_us, %(limit)s AS limiting_us,
           CASE WHEN json_extract(batch.value, '$.per_day') IS NOT NULL THEN (
                SELECT coalesce(clock_us, at_us) FROM score_events day
                 WHERE day.player_key = player.key AND day.action_id = used.action_id
                   AND day.action_seq = used.action_seq + 1 - json_extract(batch.value, '$.per_day'))
           END AS day_limiting_us,
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
%(standings)s
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

# An event belongs to a period if it follows the rollover that begins it. A use on another board is from
# before the action was moved.
_USED_UP: Final = """
           (SELECT limiting_use.version > begun.version
              FROM score_events limiting_use CROSS JOIN score_events begun
             WHERE limiting_use.player_key = player.key AND limiting_use.action_id = used.action_id
               AND limiting_use.action_seq = used.action_seq + 1 - json_extract(batch.value, '$.in_%(kind)s')
               AND limiting_use.board_key = head.key
               AND begun.board_key = head.key AND begun.period = head.%(kind)s) AS is_%(kind)s_used_up"""

_STANDING: Final = """\
      LEFT JOIN standings %(which)s_standing
             ON %(which)s_standing.board_key = head.key AND %(which)s_standing.period = %(period)s
            AND %(which)s_standing.player_key = player.key"""


@cache
def facts_statement(shape: FactsShape = DEFAULT_SHAPE) -> TextClause:
    """Return the facts statement, with the look-ups for each kind of period."""
    periods = {ALL_TIME: f"'{ALL_TIME}'"} | {kind: f"head.{kind}" for kind in shape.periods}
    standings = (_STANDING % {"which": which, "period": period} for which, period in periods.items())
    selected = ", ".join([shape.selected(), *(_USED_UP % {"kind": kind} for kind in shape.limiting)])
    return text(_FACTS % {"selected": selected, "limit": LIMIT_PROBE, "standings": "\n".join(standings)})


def read_facts(
    connection: Connection,
    batch: Sequence[Submission],
    idle: Sequence[str],
    definitions: Mapping[str, Definition],
    limit_count: int,
    reading_us: int,
) -> tuple[BatchFacts, Mapping[str, int]]:
    """Return the facts about a batch with the heads of further, idle boards, and the integer keys of all.

    Raises BoardMissing.

    A new player gets the next free integer key: the file is locked.
    """
    shape = shape_of(batch, definitions)
    idle_keys = board_keys(connection) if idle else {}
    if not idle_keys.keys() >= set(idle):
        raise BoardMissing
    if not batch:
        return batch_facts(connection, batch, (), (), reading_us, shape, idle), idle_keys
    values = {
        "batch": json.dumps([_question(submission) for submission in batch]),
        "limit_count": limit_count,
    }
    rows = connection.execute(facts_statement(shape), values).mappings().all()
    if len(rows) < len(batch):
        raise BoardMissing
    new_keys = count((rows[0]["newest_player_key"] or 0) + 1)
    keys = [row["player_key"] or next(new_keys) for row in rows]
    keys_of_boards = {**{row["board"]: row["board_key"] for row in rows}, **idle_keys}
    return batch_facts(connection, batch, rows, keys, reading_us, shape, idle), keys_of_boards


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
    for kind, uses in action.max_per_period.items():
        question[f"in_{kind}"] = uses
    if action.requires is not None:
        question["required"] = action.requires
    if submission.key is not None:
        question["keys"] = _hexadecimal(submission.key)
    if proof is not None:
        question["proofs"] = _hexadecimal(proof.digest)
    return question


def _hexadecimal(digest: Digest) -> list[str]:
    return [digest.current.hex, *(value.hex() for value in digest.earlier)]
