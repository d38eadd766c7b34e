"""The decision about a batch of submissions: pure functions over facts that a store read under its lock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scoreboard.domain.action_rules import refusal
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.decisions import Acceptance, Decision, Outcome, Refusal
from scoreboard.domain.errors import IdempotencyKeyReused, ProofInvalid, ScoreOutOfRange
from scoreboard.domain.events import Event, EventKind, Head
from scoreboard.domain.facts import BatchFacts, SubmissionFacts
from scoreboard.domain.folding import fold
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.domain.windows import head_after, judged_us, order_us


def decide_batch(batch: Sequence[Submission], facts: BatchFacts, limit: RateLimit) -> Decision:
    """Decide about a batch, at most one submission per player. Number the new events, board by board."""
    outcomes: list[Outcome] = []
    events: list[Event] = []
    heads: dict[str, Head] = {}
    standings: dict[str, list[Standing]] = {}
    for submission, known in zip(batch, facts.submissions, strict=True):
        board = submission.board
        head = heads.get(board) or facts.heads[board]
        outcome = decide(submission, known, head, judged_us(facts.reading_us, head), limit)
        outcomes.append(outcome)
        if isinstance(outcome, Refusal) or outcome.replayed:
            continue
        events.append(outcome.event)
        heads[board] = head_after(outcome.event)
        standings.setdefault(board, []).append(_standing(submission, known, outcome.event))
    return Decision(tuple(outcomes), tuple(events), _changes(heads, standings))


def decide(
    submission: Submission, facts: SubmissionFacts, head: Head, now_us: int, limit: RateLimit
) -> Outcome:
    """Decide about one submission: by a repeat, the action's rules, the score, the rate limit, in this order.

    The new event follows the board's head. `now_us` is the time for the rules (`windows.judged_us`).
    """
    if facts.repeated is not None:
        return _repeat(submission, facts.repeated)
    is_proof_expired = submission.proof is not None and submission.proof.is_expired
    error = ProofInvalid() if is_proof_expired else refusal(submission.action, facts, now_us)
    if error is not None:
        return Refusal(error)
    points = submission.points
    score = points + (facts.standing.score if facts.standing else 0)
    if abs(score) > MAX_SCORE:
        return Refusal(ScoreOutOfRange())
    if (over_limit := limit.refusal(facts.limit_us, now_us)) is not None:
        return Refusal(over_limit)
    at_us, clock_us = order_us(now_us, head)
    return Acceptance(
        Event(
            event_id=submission.event_id,
            board=submission.board,
            version=head.version + 1,
            player=facts.player.key,
            kind=EventKind.AWARD,
            seq=facts.player.seq + 1,
            action_id=submission.action.id,
            action_seq=facts.use.count + 1,
            points=points,
            score=score,
            at_us=at_us,
            idempotency_digest=None if submission.key is None else submission.key.current,
            proof_digest=None if submission.proof is None else submission.proof.digest.current,
            provenance=submission.provenance,
            clock_us=clock_us,
            hides=facts.player.is_hidden and facts.standing is None,
        )
    )


def _repeat(submission: Submission, event: Event) -> Outcome:
    """Return the event that already has the submission's idempotency key, if the request was the same."""
    is_same = event.action_id == submission.action.id and submission.stated_points in {None, event.points}
    return Acceptance(event, replayed=True) if is_same else Refusal(IdempotencyKeyReused())


def _standing(submission: Submission, facts: SubmissionFacts, event: Event) -> Standing:
    player = facts.player
    name = player.name if player.is_name_kept else submission.name or player.name
    standing = fold(facts.standing, event, submission.user_id, name)
    return (
        replace(standing, name_version=standing.name_version + player.renames) if player.renames else standing
    )


def _changes(heads: Mapping[str, Head], standings: Mapping[str, Sequence[Standing]]) -> tuple[Change, ...]:
    return tuple(
        Change(
            board=board,
            kind=ChangeKind.STEP,
            from_version=head.version - len(standings[board]),
            to_version=head.version,
            reading_us=head.reading_us,
            standings=tuple(standings[board]),
        )
        for board, head in sorted(heads.items())
    )
