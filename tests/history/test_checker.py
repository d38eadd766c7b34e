"""The checker accepts every correct history, and rejects every incorrect one."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from scoreboard.domain.rate_limit import RateLimit
from tests.history import period_forgeries
from tests.history.checker import SHOWN, check
from tests.history.forgeries import AFTER_IT_RAN, WATCHERS, WHILE_IT_RAN, story
from tests.history.honest import ACTIONS, INSTANCES, Fate, Honest
from tests.history.records import Acknowledged, History, Refused, Unknown

LIMIT = RateLimit(3, 1_000_000)


def assert_found(history: History, told: str, limit: RateLimit | None = None) -> None:
    violations = check(history, limit)
    assert any(told in violation for violation in violations), violations


def test_a_true_history_is_believed() -> None:
    history = story()
    assert check(history) == []
    assert {type(attempt.outcome) for attempt in history.attempts} == {Acknowledged, Refused, Unknown}


@pytest.mark.parametrize(("cheat", "told"), WHILE_IT_RAN.values(), ids=WHILE_IT_RAN.keys())
def test_a_scoreboard_that_cheats_is_found_out(cheat: Callable[[Honest], None], told: str) -> None:
    assert_found(story(cheat), told)


@pytest.mark.parametrize(("forge", "told"), AFTER_IT_RAN.values(), ids=AFTER_IT_RAN.keys())
def test_a_forged_history_is_found_out(forge: Callable[[History], History], told: str) -> None:
    assert_found(forge(story()), told)


def test_a_true_history_of_periods_is_believed() -> None:
    history = period_forgeries.story()
    assert check(history) == []
    periods = {event.period for event in history.ledger if event.period is not None}
    assert periods == {"2026-11-18", "2026-W47", "2026-11-19", "2026-11-23", "2026-W48"}
    refused = [attempt.period for attempt in history.attempts if isinstance(attempt.outcome, Refused)]
    assert refused == ["2026-11-18", "2026-W47"]


@pytest.mark.parametrize(
    ("cheat", "told"), period_forgeries.WHILE_IT_RAN.values(), ids=period_forgeries.WHILE_IT_RAN.keys()
)
def test_a_scoreboard_that_cheats_with_periods_is_found_out(
    cheat: Callable[[Honest], None], told: str
) -> None:
    assert_found(period_forgeries.story(cheat), told)


@pytest.mark.parametrize(
    ("forge", "told"), period_forgeries.AFTER_IT_RAN.values(), ids=period_forgeries.AFTER_IT_RAN.keys()
)
def test_a_forged_history_of_periods_is_found_out(forge: Callable[[History], History], told: str) -> None:
    assert_found(forge(period_forgeries.story()), told)


def test_who_is_over_the_limit_is_found_out() -> None:
    scoreboard = Honest({})
    for seconds in (0.0, 0.5, 0.3, 0.2):
        scoreboard.wait(seconds)
        scoreboard.submit("ada", "quest")
    assert check(scoreboard.finish(), LIMIT) == []
    scoreboard.wait(0.499_999)
    scoreboard.submit("ada", "visit")
    assert_found(scoreboard.finish(), "ada is over the limit: 4 events in 999999 µs", LIMIT)


def test_one_mistake_that_spoils_everything_is_not_told_for_ever() -> None:
    scoreboard = Honest(WATCHERS)
    for number in range(2 * SHOWN):
        scoreboard.submit("ada", "quest", f"k{number}")
        scoreboard.wait(1.0)
    lying = scoreboard.finish().with_ledger((), {})
    lost = [violation for violation in check(lying) if "lost: " in violation]
    assert len(lost) == SHOWN
    assert "… and more of this kind" in check(lying)


Step = Callable[[Honest], Any]

seconds = st.floats(0.0, 2.0)
submissions = st.builds(
    lambda user_id, action_id, key, fate, early, late: (
        lambda scoreboard: scoreboard.submit(user_id, action_id, key, fate, early=early, late=late)
    ),
    st.sampled_from(["ada", "bob", "cyd", "dan"]),
    st.sampled_from(list(ACTIONS)),
    st.one_of(st.none(), st.sampled_from(["k1", "k2", "k3"])),
    st.sampled_from([Fate.ANSWERED, *Fate]),
    seconds,
    seconds,
)
shows = st.builds(
    lambda watcher, instance: lambda scoreboard: scoreboard.watch(watcher, instance),
    st.sampled_from(list(period_forgeries.WATCHERS)),
    st.sampled_from(INSTANCES),
)
waits = st.builds(
    lambda length: lambda scoreboard: scoreboard.wait(length),
    st.one_of(seconds, st.just(period_forgeries.HALF_A_DAY)),
)


@given(st.lists(st.one_of(submissions, submissions, shows, waits), max_size=60))
def test_any_true_history_is_believed(steps: list[Step]) -> None:
    scoreboard = Honest(
        period_forgeries.WATCHERS,
        LIMIT,
        kinds=period_forgeries.KINDS,
        definitions=period_forgeries.DEFINITIONS,
    )
    for step in steps:
        step(scoreboard)
    assert check(scoreboard.finish(), LIMIT) == []
