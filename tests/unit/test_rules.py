"""The pure rules, at their limits."""

from dataclasses import replace
from uuid import UUID

import pytest

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.decisions import Acceptance, Outcome, Refusal
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import IdempotencyKeyReused, NotYourScore, RateLimited, ScoreOutOfRange
from scoreboard.domain.events import Event, EventKind, Head
from scoreboard.domain.facts import ActionUse, BatchFacts, SubmissionFacts
from scoreboard.domain.folding import fold
from scoreboard.domain.request_checks import make_submission
from scoreboard.domain.rules import decide, decide_batch
from scoreboard.domain.scopes import WRITE_SCORES
from scoreboard.domain.standings import Player
from scoreboard.domain.submissions import Caller, SubmissionRequest
from tests.making import DUEL, MAIN, QUEST, TEN_A_MINUTE, VISIT, rules, standing, submission

NOW = 1_000_000_000
HEAD = Head(7, NOW - 5)
ADA = Player(3, "user-3", None, seq=20, is_banned=False)
FACTS = SubmissionFacts(ADA, {"all": standing(3, 100, 5)}, ActionUse(4))


def decided(facts: SubmissionFacts) -> Outcome:
    return decide(submission("user-3"), facts, MAIN, HEAD, NOW, TEN_A_MINUTE)


def refusal(facts: SubmissionFacts, **changed: object) -> type:
    outcome = decided(replace(facts, **changed))  # type: ignore[arg-type]
    return type(outcome.error) if isinstance(outcome, Refusal) else type(outcome)


def test_an_accepted_submission_gets_the_next_version() -> None:
    outcome = decided(FACTS)
    assert isinstance(outcome, Acceptance)
    event = outcome.event
    assert (event.version, event.seq, event.action_seq) == (8, 21, 5)
    assert (event.points, event.score, event.at_us, event.kind) == (50, 150, NOW, EventKind.AWARD)


@pytest.mark.parametrize(
    ("ago_us", "expected"), [(60_000_000, Acceptance), (59_999_999, RateLimited), (0, RateLimited)]
)
def test_the_window_ends_on_the_exact_microsecond(ago_us: int, expected: type) -> None:
    assert refusal(FACTS, limiting_us=NOW - ago_us) is expected


def test_a_refusal_says_how_long_to_wait() -> None:
    outcome = decided(replace(FACTS, limiting_us=NOW - 59_000_000))
    assert isinstance(outcome, Refusal)
    assert isinstance(outcome.error, RateLimited)
    assert outcome.error.retry_after_us == 1_000_000


def test_a_score_may_reach_the_limit_of_the_range_but_not_exceed_it() -> None:
    assert refusal(FACTS, standings={"all": standing(3, MAX_SCORE - 50, 5)}) is Acceptance
    assert refusal(FACTS, standings={"all": standing(3, MAX_SCORE - 49, 5)}) is ScoreOutOfRange


def test_a_replay_is_answered_before_any_rule_is_checked() -> None:
    event = Event(UUID(int=1), "main", 2, 3, EventKind.AWARD, 1, "quest", 1, 50, 50, NOW)
    over = replace(FACTS, limiting_us=NOW, standings={"all": standing(3, MAX_SCORE, 5)}, repeated=event)
    assert decided(over) == Acceptance(event, replayed=True)
    assert refusal(over, repeated=replace(event, action_id="duel")) is IdempotencyKeyReused


def test_versions_of_a_batch_are_consecutive_on_each_board() -> None:
    full = replace(FACTS, limiting_us=NOW)
    side = SubmissionFacts(replace(ADA, key=5))
    other = SubmissionFacts(replace(ADA, key=4))
    facts = BatchFacts(NOW, {"main": HEAD, "side": Head(0, 0)}, [FACTS, full, side, other])
    batch = [submission("a"), submission("b"), submission("c", VISIT), submission("d", DUEL)]
    decision = decide_batch(batch, facts, rules(TEN_A_MINUTE))
    assert [(e.board, e.version) for e in decision.events] == [("main", 8), ("side", 1), ("main", 9)]
    assert [(c.board, c.from_version, c.to_version) for c in decision.changes] == [
        ("main", 7, 9),
        ("side", 0, 1),
    ]
    assert [[s.score for s in c.standings] for c in decision.changes] == [[150, 30], [5]]
    assert isinstance(decision.outcomes[1], Refusal)


def test_an_event_that_does_not_change_the_score_keeps_the_rank() -> None:
    before = standing(3, 100, 5)
    event = Event(UUID(int=1), "main", 9, 3, EventKind.AWARD, 21, "quest", 5, 0, 100, NOW)
    after = fold(Definition(), before, event, replace(ADA, name="New name"))
    assert (after.reached_version, after.reached_at_us) == (before.reached_version, before.reached_at_us)
    assert (after.version, after.name) == (9, "New name")


def test_only_a_trusted_server_submits_for_another_user() -> None:
    request, event_id = SubmissionRequest("quest", "bob"), UUID(int=1)
    for scopes in (frozenset[str](), frozenset({WRITE_SCORES})):
        with pytest.raises(NotYourScore):
            make_submission(Caller("ada", scopes=scopes), request, QUEST, event_id=event_id)
    trusted = Caller("game", "The Game", frozenset({"scores:write:any"}))
    assert make_submission(trusted, request, QUEST, event_id=event_id).name is None
    bob = Caller("bob", "Bob", frozenset({WRITE_SCORES}))
    assert make_submission(bob, request, QUEST, event_id=event_id).name == "Bob"
