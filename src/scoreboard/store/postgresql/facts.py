"""The facts statement of a commit in PostgreSQL: a row per submission of the batch, which it gets as arrays.

A plan is made once, possibly while the tables are empty, and must be fast with a million players. So every
look-up is LATERAL … LIMIT 1, sorted in the order of the index to use. On empty tables, PostgreSQL would
choose another index that begins with the same columns. The sort prevents this, because the other index has
another order. `x BETWEEN y AND y` keeps the sort from being optimized away.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import zip_longest
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.digests import Digest
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.rollovers import KINDS
from scoreboard.domain.submissions import Submission
from scoreboard.store.boards import board_keys as board_keys_now
from scoreboard.store.facts import DEFAULT_SHAPE, FactsShape, Row, batch_facts, check_first_events, shape_of
from scoreboard.store.postgresql.connections import Transaction
from scoreboard.store.postgresql.ledger import CLOCK
from scoreboard.store.rejected_content import BoardMissing

_STATEMENT: Final = """
    SELECT coalesce(player.key, nextval('players_key_seq')) AS player_key,
           coalesce($2::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS reading_us,
           head.id AS board, head.version AS head_version, head.at_us AS head_at_us,
           player.name, player.seq, player.is_banned, player.is_hidden, player.is_name_kept, player.renames,
           %(selected)s, use.action_seq, use.at_us AS used_at_us,
           limiting.at_us AS limiting_us, %(columns)s
      FROM unnest(%(arrays)s) WITH ORDINALITY AS batch(%(names)s, number)
      JOIN boards head ON head.key = batch.board_key
      LEFT JOIN LATERAL (
           SELECT key, name, seq, is_banned, is_hidden, is_name_kept, renames FROM players
            WHERE user_id = batch.user_id LIMIT 1) player ON true %(standings)s
      LEFT JOIN LATERAL (
           SELECT action_seq, coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = player.key AND action_id = batch.action_id
            ORDER BY action_seq DESC LIMIT 1) use ON true
      LEFT JOIN LATERAL (
           SELECT coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = player.key AND seq BETWEEN player.seq + 1 - $1::bigint
                  AND player.seq + 1 - $1::bigint
            ORDER BY seq LIMIT 1) limiting ON true %(joins)s
     ORDER BY batch.number
"""

# Compares rows, to begin at the period: a player may have thousands of them.
_STANDING: Final = """
      LEFT JOIN LATERAL (
           SELECT %(columns)s FROM standings
            WHERE board_key = batch.board_key AND (player_key, period) >= (player.key, %(period)s)
              AND (player_key, period) <= (player.key, %(period)s)
            ORDER BY player_key, period LIMIT 1) %(which)s_standing ON true"""

_PER_DAY: Final = """
      LEFT JOIN LATERAL (
           SELECT coalesce(clock_us, at_us) AS at_us FROM score_events
            WHERE player_key = player.key AND action_id = batch.action_id
              AND action_seq BETWEEN use.action_seq + 1 - batch.per_day AND use.action_seq + 1 - batch.per_day
            ORDER BY action_seq LIMIT 1) limiting_use ON true"""

# An event belongs to a period if it follows the rollover that begins it.
_USED_UP: Final = """
      LEFT JOIN LATERAL (
           SELECT version FROM score_events
            WHERE board_key = batch.board_key AND period BETWEEN head.%(kind)s AND head.%(kind)s
            ORDER BY period LIMIT 1) %(kind)s_begun ON true
      LEFT JOIN LATERAL (
           SELECT board_key, version FROM score_events
            WHERE player_key = player.key AND action_id = batch.action_id
              AND action_seq BETWEEN use.action_seq + 1 - batch.in_%(kind)s
                  AND use.action_seq + 1 - batch.in_%(kind)s
            ORDER BY action_seq LIMIT 1) %(kind)s_use ON true"""

_REQUIRED: Final = """
      LEFT JOIN LATERAL (
           SELECT true AS found FROM score_events WHERE player_key = player.key AND action_id = batch.required
            ORDER BY action_seq LIMIT 1) required ON true"""

_KEY: Final = """
           (SELECT board_key, version FROM score_events
             WHERE player_key = player.key AND idempotency_digest BETWEEN batch.%(name)s AND batch.%(name)s
             ORDER BY idempotency_digest LIMIT 1)"""

_PROOF: Final = """
           (SELECT true AS found FROM score_events
             WHERE proof_digest BETWEEN batch.%(name)s AND batch.%(name)s
             ORDER BY proof_digest LIMIT 1)"""


_TYPES: Final = (
    {"board_key": "int", "per_day": "bigint"}
    | dict.fromkeys((f"in_{kind}" for kind in KINDS), "bigint")
    | dict.fromkeys(("user_id", "action_id", "required"), "text")
)
"""The types of the arrays that are not digests."""


@cache
def facts_statement(names: Sequence[str], shape: FactsShape = DEFAULT_SHAPE) -> str:
    """Return the statement that takes these arrays. It has no look-ups for arrays that are missing.

    Its parameters are the count of the rate limit, the clock (null: the database's), and the arrays.
    """
    keys = [name for name in names if name.startswith("key_")]
    proofs = [name for name in names if name.startswith("proof_")]
    joins = (_PER_DAY if "per_day" in names else "") + (_REQUIRED if "required" in names else "")
    joins += "".join(_USED_UP % {"kind": kind} for kind in shape.limiting)
    columns = (
        # A use on another board is from before the action was moved.
        *(
            f"{kind}_use.board_key = head.key AND {kind}_use.version > {kind}_begun.version "
            f"AS is_{kind}_used_up"
            for kind in shape.limiting
        ),
        ("limiting_use.at_us" if "per_day" in names else "NULL") + " AS day_limiting_us",
        ("required.found" if "required" in names else "NULL") + " AS has_required",
        ("repeated.board_key" if keys else "NULL") + " AS repeated_board_key",
        ("repeated.version" if keys else "NULL") + " AS repeated_version",
        ("used_proof.found" if proofs else "NULL") + " AS is_proof_used",
    )
    types = (_TYPES.get(name, "uuid") for name in names)
    periods = {ALL_TIME: f"'{ALL_TIME}'"} | {kind: f"head.{kind}" for kind in shape.periods}
    standings = (
        _STANDING % {"which": which, "period": period, "columns": ", ".join(shape.standing_columns)}
        for which, period in periods.items()
    )
    return _STATEMENT % {
        "selected": shape.selected(),
        "standings": "".join(standings),
        "columns": ", ".join(columns),
        "arrays": ", ".join(f"${number}::{of}[]" for number, of in enumerate(types, start=3)),
        "names": ", ".join(names),
        "joins": joins + _first(_KEY, keys, "repeated") + _first(_PROOF, proofs, "used_proof"),
    }


def _first(probe: str, names: Sequence[str], alias: str) -> str:
    """Return a join of the first row that any of these digests finds."""
    if not names:
        return ""
    probes = " UNION ALL".join(probe % {"name": name} for name in names)
    limit = " LIMIT 1" if len(names) > 1 else ""
    return f"\n      LEFT JOIN LATERAL ({probes}{limit}) {alias} ON true"


def facts_arrays(batch: Sequence[Submission], board_keys: Mapping[str, int]) -> dict[str, Sequence[object]]:
    """Return what the statement needs to know about each submission, by column."""
    arrays: dict[str, Sequence[object]] = {
        "user_id": [submission.user_id for submission in batch],
        "board_key": [board_keys[submission.board] for submission in batch],
        "action_id": [submission.action.id for submission in batch],
    }
    if any(submission.action.max_per_day is not None for submission in batch):
        arrays["per_day"] = [submission.action.max_per_day for submission in batch]
    for kind in KINDS:
        if any(kind in submission.action.max_per_period for submission in batch):
            arrays[f"in_{kind}"] = [submission.action.max_per_period.get(kind) for submission in batch]
    if any(submission.action.requires is not None for submission in batch):
        arrays["required"] = [submission.action.requires for submission in batch]
    keys = zip_longest(*(_values(submission.key) for submission in batch))
    proofs = zip_longest(
        *(_values(submission.proof.digest if submission.proof else None) for submission in batch)
    )
    arrays |= {f"key_{number}": digests for number, digests in enumerate(keys)}
    return arrays | {f"proof_{number}": digests for number, digests in enumerate(proofs)}


def _values(digest: Digest | None) -> list[UUID]:
    """Return the current and the earlier values of a digest."""
    return [] if digest is None else [digest.current, *(UUID(bytes=value) for value in digest.earlier)]


async def read_facts(
    transaction: Transaction,
    batch: Sequence[Submission],
    board_keys: Mapping[str, int],
    definitions: Mapping[str, Definition],
    idle: Sequence[str],
    limit_count: int,
    reading_us: int | None,
) -> BatchFacts:
    """Return the facts about a batch, and the heads of further, idle boards.

    Without a clock reading of the caller, the database's clock is used. Raises BoardMissing.
    """
    shape = shape_of(batch, definitions)
    # After the restore of a backup, a key may belong to another board.
    if idle:
        keys_now = await transaction.connection.run_sync(board_keys_now)
        if any(keys_now.get(board) != board_keys[board] for board in idle):
            raise BoardMissing
    rows: Sequence[Row] = ()
    if batch:
        arrays = facts_arrays(batch, board_keys)
        rows = await transaction.raw.fetch(
            facts_statement(tuple(arrays), shape), limit_count, reading_us, *arrays.values()
        )
        if [row["board"] for row in rows] != [submission.board for submission in batch]:
            raise BoardMissing
        reading_us = max(row["reading_us"] for row in rows)
    else:
        reading_us = await transaction.raw.fetchval(CLOCK) if reading_us is None else reading_us
    keys = [row["player_key"] for row in rows]

    def complete(connection: Connection) -> BatchFacts:
        facts = batch_facts(connection, batch, rows, keys, reading_us, shape, idle)
        check_first_events(connection, facts, definitions)
        return facts

    return await transaction.connection.run_sync(complete)
