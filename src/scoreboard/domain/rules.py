"""What decides about a submission: pure functions, the same for every store. The clock is a fact among others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from scoreboard.domain.action_rules import refusal
from scoreboard.domain.boards import MAX_SCORE, Action, RateLimit
from scoreboard.domain.decisions import Accepted, Decision, Outcome, Refused, SubmissionFacts
from scoreboard.domain.errors import (
    ActionByServer,
    IdempotencyKeyReused,
    InsufficientScope,
    NameNotYours,
    NotYourScore,
    PointsNotYours,
    PointsOutOfRange,
    ProofInvalid,
    ProofRequired,
    RateLimited,
    ScoreOutOfRange,
)
from scoreboard.domain.events import Event, EventKind, Head, Reached
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.domain.submissions import NO_PROVENANCE, Caller, Proof, Provenance, Submission
from scoreboard.domain.windows import head_after, judged_us, left_us, order_us

SCORE_FOR_ONESELF: Final = "scores:write"
"""The scope of a user, who claims actions for nobody else."""

SCORE_FOR_ANYBODY: Final = "scores:write:any"
"""The scope of a trusted server, which claims actions for its users."""

ADMINISTER: Final = "scoreboard:admin"
"""The scope of whoever may right a wrong."""


def claim(
    caller: Caller,
    user_id: str,
    action: Action,
    event_id: UUID,
    *,
    idempotency_digest: UUID | None = None,
    earlier_digests: tuple[bytes, ...] = (),
    points: int | None = None,
    name: str | None = None,
    proof: Proof | None = None,
    origin: Provenance = NO_PROVENANCE,
) -> Submission:
    """Check that a caller may submit this. The name comes from the player's own token, or from a trusted server.

    Raises NotYourScore, InsufficientScope, ActionByServer, PointsNotYours, NameNotYours, PointsOutOfRange,
    ProofRequired and ProofInvalid.
    """
    own = caller.user_id == user_id
    if SCORE_FOR_ANYBODY not in caller.scopes:
        if not own:
            raise NotYourScore
        if SCORE_FOR_ONESELF not in caller.scopes:
            raise InsufficientScope(SCORE_FOR_ONESELF)
        if not action.for_players:
            raise ActionByServer
        if points is not None:
            raise PointsNotYours
        if name is not None:
            raise NameNotYours
        if action.needs_proof and proof is None:
            raise ProofRequired
    if proof is not None:
        if (proof.user_id, proof.action_id) != (user_id, action.id):
            raise ProofInvalid
        points = proof.points if points is None else points
    _check_points(action, points)
    return Submission(
        event_id,
        user_id,
        name or (caller.name if own else None),
        action,
        idempotency_digest,
        points,
        None if proof is None else proof.digest,
        proof is not None and proof.is_over,
        origin,
        earlier_digests,
        () if proof is None else proof.earlier_digests,
    )


def _check_points(action: Action, points: int | None) -> None:
    if points is None:
        return
    least, most = action.points_range or (action.points, action.points)
    if not least <= points <= most:
        raise PointsOutOfRange(least, most)


def decide(submission: Submission, facts: SubmissionFacts, limit: RateLimit) -> Outcome:
    """Accept or refuse one submission: first a repeat, then the action's rules, the score's range and the rate limit.

    The event of an accepted submission directly follows the board's head in the facts. `facts.at_us` is the time that
    the rules use for this board (`windows.judged_us`).
    """
    if facts.repeated is not None:
        is_other = submission.given_points not in {None, facts.repeated.points}
        if facts.repeated.action_id != submission.action.id or is_other:
            return Refused(IdempotencyKeyReused())
        return Accepted(facts.repeated, replayed=True)
    if (refused := ProofInvalid() if submission.is_late else refusal(submission.action, facts)) is not None:
        return Refused(refused)
    score = (facts.standing.score if facts.standing else 0) + submission.points
    if abs(score) > MAX_SCORE:
        return Refused(ScoreOutOfRange())
    if wait_us := left_us(facts.limit_at_us, limit.window_us, facts.at_us):
        return Refused(RateLimited(wait_us))
    at_us, clock_us = order_us(facts.at_us, facts.head)
    return Accepted(
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
            origin=submission.origin,
            clock_us=clock_us,
            hides=facts.is_hidden and facts.standing is None,
        )
    )


def fold(
    standing: Standing | None,
    event: Event,
    user_id: str,
    name: str | None,
    *,
    reached: Reached | None = None,
    listed: bool | None = None,
) -> Standing:
    """Return a player's standing after one more event. A board is the fold of its ledger.

    A void or an unvoid needs the event that the score is `reached` by afterwards. Any other event reaches the score
    itself, if it changes the score. The end of a ban or of hiding needs to know whether the player is `listed`
    afterwards. All other events determine it themselves.
    """
    seq = event.seq or (standing.seq if standing else 0)
    if event.kind in _UNLISTING:
        listed = False
    elif listed is None:
        listed = not event.hides if standing is None else standing.listed
    if reached is None and standing is not None and standing.score == event.score:
        return replace(standing, user_id=user_id, name=name, version=event.version, seq=seq, listed=listed)
    reached = reached or Reached(event.version, event.reading_us)
    return Standing(
        player=event.player,
        user_id=user_id,
        name=name,
        score=event.score,
        reached_version=reached.version,
        reached_at_us=reached.at_us,
        version=event.version,
        seq=seq,
        listed=listed,
    )


_UNLISTING: Final = frozenset({EventKind.BAN, EventKind.HIDE, EventKind.ERASE})
"""The events that remove a player from the board."""


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
        if isinstance(outcome, Refused) or outcome.replayed:
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
