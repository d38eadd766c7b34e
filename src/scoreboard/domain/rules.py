"""The decision about a batch of submissions: pure functions over facts that a store read under its lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scoreboard.domain.action_rules import refusal
from scoreboard.domain.boards import ALL_TIME, MAX_SCORE, Board
from scoreboard.domain.decisions import Acceptance, Decision, Outcome, Refusal
from scoreboard.domain.errors import (
    BoardClosed,
    BoardNotOpen,
    IdempotencyKeyReused,
    PeriodOver,
    ProofInvalid,
    ScoreboardError,
    ScoreOutOfRange,
)
from scoreboard.domain.events import Event, EventKind, Head, NewId
from scoreboard.domain.facts import BatchFacts, SubmissionFacts
from scoreboard.domain.folding import fold
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.rollovers import roll_over
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.domain.windows import head_after, judged_us, order_us


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """What decides besides the facts: the boards of the catalog, the rate limit, and the source of ids."""

    boards: Mapping[str, Board]
    limit: RateLimit
    new_id: NewId


def decide_batch(batch: Sequence[Submission], facts: BatchFacts, inputs: DecisionInputs) -> Decision:
    """Decide about a batch, at most one submission per player. Number the new events, board by board.

    `facts.heads` has the locked boards. The rollovers that are due on them come first, also without
    submissions.
    """
    outcomes: list[Outcome] = []
    events: list[Event] = []
    heads: dict[str, Head] = {}
    now_us: dict[str, int] = {}
    standings: dict[str, list[Standing]] = {}
    for board, head in facts.heads.items():
        now_us[board] = judged_us(facts.reading_us, head)
        rollovers, heads[board] = roll_over(
            board, inputs.boards[board].definition, head, now_us[board], inputs.new_id
        )
        events += rollovers
    for submission, known in zip(batch, facts.submissions, strict=True):
        board = submission.board
        outcome = decide(submission, known, inputs.boards[board], heads[board], now_us[board], inputs.limit)
        outcomes.append(outcome)
        if isinstance(outcome, Refusal) or outcome.replayed:
            continue
        events.append(outcome.event)
        heads[board] = head_after(heads[board], outcome.event)
        standings.setdefault(board, []).extend(outcome.standings)
    return Decision(tuple(outcomes), tuple(events), _changes(facts.heads, heads, standings))


def decide(
    submission: Submission,
    facts: SubmissionFacts,
    board: Board,
    head: Head,
    now_us: int,
    limit: RateLimit,
) -> Outcome:
    """Accept or refuse one submission. Check first for a repeat, then the rules of the board and of the
    action, the score, and the rate limit.

    The new event follows the board's head. `now_us` is the time for the rules (`windows.judged_us`).
    """
    if facts.repeated is not None:
        return _repeat(submission, facts.repeated)
    is_proof_expired = submission.proof is not None and submission.proof.is_expired
    error = (
        ProofInvalid()
        if is_proof_expired
        else _board_refusal(submission, board, head, now_us)
        or refusal(submission.action, facts, head.periods, now_us)
    )
    if error is not None:
        return Refusal(error)
    event = _award(submission, facts, head, now_us)
    standings = _standings(submission, facts, board, head, event)
    if any(abs(value) > MAX_SCORE for standing in standings for value in standing.values):
        return Refusal(ScoreOutOfRange())
    if (over_limit := limit.refusal(facts.limiting_us, now_us)) is not None:
        return Refusal(over_limit)
    return Acceptance(replace(event, score=standings[0].score), standings=standings)


def _repeat(submission: Submission, event: Event) -> Outcome:
    """Return the event that already has the submission's idempotency key, if the request was the same."""
    is_same = (
        event.action_id == submission.action.id
        and submission.stated_points in {None, event.points}
        and (not submission.stated_columns or submission.columns == event.columns)
    )
    return Acceptance(event, replayed=True) if is_same else Refusal(IdempotencyKeyReused())


def _board_refusal(submission: Submission, board: Board, head: Head, now_us: int) -> ScoreboardError | None:
    if board.opens_at_us is not None and now_us < board.opens_at_us:
        return BoardNotOpen(board.opens_at_us - now_us)
    if board.closes_at_us is not None and now_us >= board.closes_at_us:
        return BoardClosed()
    if submission.period is not None and submission.period not in head.open_periods:
        return PeriodOver(submission.period, head.open_periods)
    return None


def _award(submission: Submission, facts: SubmissionFacts, head: Head, now_us: int) -> Event:
    """Return the event of an accepted submission. Its score is that of the standing that it leads to."""
    at_us, clock_us = order_us(now_us, head)
    standing = facts.standings.get(ALL_TIME)
    return Event(
        event_id=submission.event_id,
        board=submission.board,
        version=head.version + 1,
        player=facts.player.key,
        kind=EventKind.AWARD,
        seq=facts.player.seq + 1,
        action_id=submission.action.id,
        action_seq=facts.use.count + 1,
        points=submission.points,
        score=0,
        at_us=at_us,
        idempotency_digest=None if submission.key is None else submission.key.current,
        proof_digest=None if submission.proof is None else submission.proof.digest.current,
        provenance=submission.provenance,
        clock_us=clock_us,
        hides=facts.player.is_hidden and (standing is None or standing.is_empty),
        columns=submission.columns,
    )


def _standings(
    submission: Submission, facts: SubmissionFacts, board: Board, head: Head, event: Event
) -> tuple[Standing, ...]:
    """Return the player's standings in each open period after the event, first that of all time."""
    player = facts.player
    name = player.name if player.is_name_kept else submission.name or player.name
    player = replace(player, user_id=submission.user_id, name=name, seq=player.seq + 1)
    first = fold(board.definition, facts.standings.get(ALL_TIME), event, player)
    return (
        first,
        *(
            fold(
                board.definition,
                facts.standings.get(period),
                event,
                player,
                period,
                listed=first.listed,
            )
            for period in head.periods.values()
        ),
    )


def _changes(
    before: Mapping[str, Head], after: Mapping[str, Head], standings: Mapping[str, Sequence[Standing]]
) -> tuple[Change, ...]:
    return tuple(
        Change(
            board=board,
            kind=ChangeKind.STEP,
            from_version=before[board].version,
            to_version=head.version,
            reading_us=head.reading_us,
            standings=tuple(standings.get(board, ())),
            periods=head.open_periods,
        )
        for board, head in sorted(after.items())
        if head.version > before[board].version
    )
