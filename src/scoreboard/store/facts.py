"""The facts about a batch of submissions, from the rows of a driver's facts statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Connection

from scoreboard.domain.digests import Digest
from scoreboard.domain.events import Event, Head
from scoreboard.domain.facts import NEVER_USED, ActionUse, BatchFacts, SubmissionFacts
from scoreboard.domain.standings import Player, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.store import reads


class Row(Protocol):
    """A row whose columns are read by name: asyncpg's `Record`, or SQLAlchemy's `RowMapping`."""

    def __getitem__(self, column: str, /) -> Any: ...


class Needs(NamedTuple):
    """The look-ups that a batch needs in addition to those of every submission.

    `keys` and `proofs` are the most digests of one idempotency key and of one proof.
    """

    keys: int = 0
    proofs: int = 0
    per_day: bool = False
    required: bool = False


def needs_of(batch: Sequence[Submission]) -> Needs:
    """Return the look-ups that this batch needs."""
    return Needs(
        max(0 if s.key is None else 1 + len(s.key.earlier) for s in batch),
        max(0 if s.proof is None else 1 + len(s.proof.digest.earlier) for s in batch),
        any(s.action.max_per_day is not None for s in batch),
        any(s.action.requires is not None for s in batch),
    )


def digests_of(digest: Digest | None, count: int) -> list[UUID | None]:
    """Return the current and the earlier values of a digest, filled up with None."""
    values = [] if digest is None else [digest.current, *(UUID(bytes=value) for value in digest.earlier)]
    return values + [None] * (count - len(values))


class RareFacts(NamedTuple):
    """Facts that few batches need, read by statements of their own.

    `heads` are those that are ahead of the clock, with its reading. `repeated` are the events of idempotency keys that
    were used before, by board key and version.
    """

    heads: Mapping[str, Head]
    repeated: Mapping[tuple[int, int], Event]


NO_RARE_FACTS: Final = RareFacts({}, {})


def needs_rare_facts(rows: Sequence[Row], at_us: int) -> bool:
    """Return True if a batch with these rows needs any of the rare facts."""
    return any(row["repeated_version"] is not None or row["head_at_us"] > at_us for row in rows)


def read_rare_facts(connection: Connection, rows: Sequence[Row], at_us: int) -> RareFacts:
    """Read the rare facts of a batch with these rows."""
    late = {row["board"] for row in rows if row["head_at_us"] > at_us}
    repeated = {(row["repeated_board_key"], row["repeated_version"]) for row in rows}
    return RareFacts(
        {board: reads.head(connection, board) for board in late},
        {event: reads.event_at(connection, *event) for event in repeated if event != (None, None)},
    )


def batch_facts(
    batch: Sequence[Submission], rows: Sequence[Row], keys: Iterable[int], at_us: int, rare: RareFacts
) -> BatchFacts:
    """Build the facts from one row per submission, and from the players' integer keys."""
    heads = {row["board"]: Head(row["head_version"], row["head_at_us"]) for row in rows}
    return BatchFacts(
        at_us,
        {**heads, **rare.heads},
        [_facts(row, one, key, rare) for row, one, key in zip(rows, batch, keys, strict=True)],
    )


def _facts(row: Row, submission: Submission, key: int, rare: RareFacts) -> SubmissionFacts:
    name, seq = row["name"], row["seq"]
    if seq is None:
        return SubmissionFacts(
            Player(key, submission.user_id, None, seq=0, is_banned=False),
            has_required=bool(row["has_required"]),
            is_proof_used=bool(row["is_proof_used"]),
        )
    score, count = row["score"], row["action_seq"]
    return SubmissionFacts(
        Player(
            key,
            submission.user_id,
            name,
            seq,
            bool(row["is_banned"]),
            bool(row["is_hidden"]),
            bool(row["is_name_kept"]),
            row["renames"],
        ),
        None
        if score is None
        else Standing(
            key,
            submission.user_id,
            name,
            score,
            row["reached_version"],
            row["reached_at_us"],
            row["standing_version"],
            seq,
            bool(row["listed"]),
        ),
        NEVER_USED if count is None else ActionUse(count, row["used_at_us"], row["day_at_us"]),
        row["limit_at_us"],
        bool(row["has_required"]),
        rare.repeated.get((row["repeated_board_key"], row["repeated_version"])),
        bool(row["is_proof_used"]),
    )
