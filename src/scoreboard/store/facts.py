"""A row of facts, as either dialect's statement reads it, as a value."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from scoreboard.domain.decisions import SubmissionFacts
from scoreboard.domain.events import Event, EventKind, Head
from scoreboard.domain.standings import Standing
from scoreboard.domain.submissions import Submission


def make_facts(row: Sequence[Any], submission: Submission, at_us: int, player: int) -> SubmissionFacts:
    """Build the facts from these columns, in this order:

    - the head's version and times;
    - the player's name, seq, ban, hiding, kept name and renames;
    - the standing's score, reached version, reached time, version and listed;
    - the number and the time of the action's last use, the time of the use `max_per_day` uses ago, whether the required
      action was used, and whether the proof was;
    - the time of the submission that counts against the rate limit;
    - the event with the idempotency key: id, board, version, kind, seq, action, use, points, score, times.
    """
    version, head_at_us, head_clock_us, name, seq, is_banned, is_hidden, is_name_kept, renames = row[:9]
    score, reached_version, reached_at_us, standing_version, listed = row[9:14]
    action_seq, used_at_us, day_at_us, has_required, is_redeemed, limit_at_us = row[14:20]
    return SubmissionFacts(
        at_us=at_us,
        head=Head(version, head_at_us, clock_us=head_clock_us),
        player=player,
        name=name,
        seq=seq or 0,
        standing=None
        if score is None
        else Standing(
            player=player,
            user_id=submission.user_id,
            name=name,
            score=score,
            reached_version=reached_version,
            reached_at_us=reached_at_us,
            version=standing_version,
            seq=seq,
            listed=bool(listed),
        ),
        action_seq=action_seq or 0,
        used_at_us=used_at_us,
        day_at_us=day_at_us,
        has_required=bool(has_required),
        limit_at_us=limit_at_us,
        repeated=None if row[20] is None else _repeated(row[20:], player, submission),
        is_banned=bool(is_banned),
        is_redeemed=bool(is_redeemed),
        is_hidden=bool(is_hidden),
        is_name_kept=bool(is_name_kept),
        renames=renames or 0,
    )


def _repeated(row: Sequence[Any], player: int, submission: Submission) -> Event:
    event_id, board, version, kind, seq, action_id, action_seq, points, score, at_us, clock_us = row
    return Event(
        # SQLite has it as text.
        event_id=event_id if isinstance(event_id, UUID) else UUID(event_id),
        board=board,
        version=version,
        player=player,
        kind=EventKind(kind),
        seq=seq,
        action_id=action_id,
        action_seq=action_seq,
        points=points,
        score=score,
        at_us=at_us,
        idempotency_digest=submission.idempotency_digest,
        clock_us=clock_us,
    )
