"""The facts about a batch of submissions, from the rows of a driver's facts statement."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import Event, Head
from scoreboard.domain.facts import ActionUse, BatchFacts, SubmissionFacts
from scoreboard.domain.standings import Player, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.store import reads


class Row(Protocol):
    """A row whose columns are read by name: asyncpg's `Record`, or SQLAlchemy's `RowMapping`."""

    def __getitem__(self, column: str, /) -> Any: ...


def batch_facts(
    connection: Connection,
    batch: Sequence[Submission],
    rows: Sequence[Row],
    keys: Sequence[int],
    reading_us: int,
) -> BatchFacts:
    """Build the facts from one row per submission, and from the players' integer keys.

    Two rare facts take further statements: the events of idempotency keys that were used before, and the
    clock's reading of a head that is ahead of the clock.
    """
    heads = {row["board"]: Head(row["head_version"], row["head_at_us"]) for row in rows}
    heads |= {
        board: reads.head(connection, board) for board, head in heads.items() if head.at_us > reading_us
    }
    repeated = {
        submission.event_id: reads.event_at(connection, row["repeated_board_key"], row["repeated_version"])
        for row, submission in zip(rows, batch, strict=True)
        if row["repeated_version"] is not None
    }
    facts = [
        _facts(row, submission, key, repeated.get(submission.event_id))
        for row, submission, key in zip(rows, batch, keys, strict=True)
    ]
    return BatchFacts(reading_us, heads, facts)


def _facts(row: Row, submission: Submission, key: int, repeated: Event | None) -> SubmissionFacts:
    # The columns of a player, a standing and a use are null for a new player.
    player = Player(
        key,
        submission.user_id,
        row["name"],
        row["seq"] or 0,
        is_banned=bool(row["is_banned"]),
        is_hidden=bool(row["is_hidden"]),
        is_name_kept=bool(row["is_name_kept"]),
        renames=row["renames"] or 0,
    )
    standings: Mapping[str, Standing] = {}
    if row["score"] is not None:
        standing = Standing(
            player=key,
            user_id=submission.user_id,
            name=player.name,
            score=row["score"],
            reached_version=row["reached_version"],
            reached_at_us=row["reached_at_us"],
            version=row["standing_version"],
            name_version=player.name_version,
            listed=bool(row["listed"]),
        )
        standings = {ALL_TIME: standing}
    return SubmissionFacts(
        player,
        standings,
        ActionUse(row["action_seq"] or 0, row["used_at_us"], row["day_at_us"]),
        row["limit_at_us"],
        has_required=bool(row["has_required"]),
        repeated=repeated,
        is_proof_used=bool(row["is_proof_used"]),
    )
