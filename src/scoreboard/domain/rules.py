"""The decision about a batch of submissions: pure functions over facts that a store has read under its lock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scoreboard.domain.action_rules import refusal
from scoreboard.domain.boards import MAX_SCORE, RateLimit
from scoreboard.domain.decisions import Acceptance, Decision, Outcome, Refusal, SubmissionFacts
from scoreboard.domain.errors import IdempotencyKeyReused, ProofInvalid, RateLimited, ScoreOutOfRange
from scoreboard.domain.events import Event, EventKind, Head
from scoreboard.domain.folding import fold
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.domain.windows import head_after, judged_us, left_us, order_us


def decide(submission: Submission, facts: SubmissionFacts, limit: RateLimit) -> Outcome:
    """Accept or refuse one submission: first a repeat, then the action's rules, the score's range and the rate limit.

    The event of an accepted submission directly follows the board's head in the facts. `facts.at_us` is the time that
    the rules use for this board (`windows.judged_us`).
    """
    if facts.repeated is not None:
        is_other = submission.given_points not in {None, facts.repeated.points}
        if facts.repeated.action_id != submission.action.id or is_other:
            return Refusal(IdempotencyKeyReused())
        return Acceptance(facts.repeated, replayed=True)
    if (
        refused := ProofInvalid() if submission.is_proof_expired else refusal(submission.action, facts)
    ) is not None:
        return Refusal(refused)
    score = (facts.standing.score if facts.standing else 0) + submission.points
    if abs(score) > MAX_SCORE:
        return Refusal(ScoreOutOfRange())
    if wait_us := left_us(facts.limit_at_us, limit.window_us, facts.at_us):
        return Refusal(RateLimited(wait_us))
    at_us, clock_us = order_us(facts.at_us, facts.head)
    return Acceptance(
        Event(
            event_id=submission.event_id,
            board=submission.board,
            version=facts.head.version + 1,
            player=facts.player,
            kind=EventKind.AWARD,
            seq=facts.seq + 1,
            action_id=submission.action.id,
            action_seq=facts.action_seq + 1,
            points=submission.points,
            score=score,
            at_us=at_us,
            idempotency_digest=submission.idempotency_digest,
            proof_digest=submission.proof_digest,
            provenance=submission.provenance,
            clock_us=clock_us,
            hides=facts.is_hidden and facts.standing is None,
        )
    )


def decide_batch(batch: Sequence[Submission], facts: Sequence[SubmissionFacts], limit: RateLimit) -> Decision:
    """Decide a batch, at most one submission of a player, and number what was accepted, board by board."""
    outcomes: list[Outcome] = []
    events: list[Event] = []
    heads: dict[str, Head] = {}
    standings: dict[str, list[Standing]] = {}
    for submission, known in zip(batch, facts, strict=True):
        head = heads.get(submission.board, known.head)
        outcome = decide(submission, replace(known, head=head, at_us=judged_us(known.at_us, head)), limit)
        outcomes.append(outcome)
        if isinstance(outcome, Refusal) or outcome.replayed:
            continue
        event = outcome.event
        events.append(event)
        heads[event.board] = head_after(event)
        standings.setdefault(event.board, []).append(_standing(submission, known, event))
    return Decision(tuple(outcomes), tuple(events), _changes(heads, standings))


def _standing(submission: Submission, known: SubmissionFacts, event: Event) -> Standing:
    name = known.name if known.is_name_kept else submission.name or known.name
    standing = fold(known.standing, event, submission.user_id, name)
    return replace(standing, seq=standing.seq + known.renames) if known.renames else standing


def _changes(heads: Mapping[str, Head], standings: Mapping[str, Sequence[Standing]]) -> tuple[Change, ...]:
    return tuple(
        Change(
            board=board,
            kind=ChangeKind.STEP,
            from_version=head.version - len(standings[board]),
            to_version=head.version,
            at_us=head.reading_us,
            standings=tuple(standings[board]),
        )
        for board, head in sorted(heads.items())
    )
