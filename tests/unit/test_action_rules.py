"""The rules of an action, each one at its limits."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scoreboard.domain.action_rules import refusal
from scoreboard.domain.boards import Action
from scoreboard.domain.errors import RetryLater
from scoreboard.domain.facts import ActionUse, SubmissionFacts
from scoreboard.domain.periods import PeriodKind
from tests.making import QUEST
from tests.unit.test_rules import ADA, NOW

FACTS = SubmissionFacts(ADA)
SECOND = 1_000_000

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str | None, int | None]] = {
    "no rule": ({}, {"use": ActionUse(10**6, NOW)}, None, None),
    "switched off": ({"enabled": False}, {}, "action_disabled", None),
    "not begun": ({"valid_from_us": NOW + 1}, {}, "action_not_yet", 1),
    "begun": ({"valid_from_us": NOW}, {}, None, None),
    "about to end": ({"valid_until_us": NOW + 1}, {}, None, None),
    "ended": ({"valid_until_us": NOW}, {}, "action_over", None),
    "required and missing": ({"requires": "login"}, {}, "action_requires", None),
    "required and there": ({"requires": "login"}, {"has_required": True}, None, None),
    "once, never used": ({"max_total": 1}, {}, None, None),
    "once, used": ({"max_total": 1}, {"use": ActionUse(1)}, "action_used_up", None),
    "three times, used twice": ({"max_total": 3}, {"use": ActionUse(2)}, None, None),
    "cooling down": (
        {"cooldown_us": 30 * SECOND},
        {"use": ActionUse(1, NOW - SECOND)},
        "action_cooling_down",
        29 * SECOND,
    ),
    "cooled down this very moment": (
        {"cooldown_us": SECOND},
        {"use": ActionUse(1, NOW - SECOND)},
        None,
        None,
    ),
    "never used, with a cooldown": ({"cooldown_us": SECOND}, {}, None, None),
    "what never changes is told first": (
        {"max_total": 1, "cooldown_us": SECOND},
        {"use": ActionUse(1, NOW)},
        "action_used_up",
        None,
    ),
}


@pytest.mark.parametrize(("rules", "facts", "code", "retry_after_us"), CASES.values(), ids=CASES.keys())
def test_a_rule_names_the_refusal_and_the_time_to_retry(
    rules: dict[str, Any], facts: dict[str, Any], code: str | None, retry_after_us: int | None
) -> None:
    error = refusal(replace(QUEST, **rules), replace(FACTS, **facts), {}, NOW)
    assert (None if error is None else error.code) == code
    assert (error.retry_after_us if isinstance(error, RetryLater) else None) == retry_after_us


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * SECOND


BERLIN = ZoneInfo("Europe/Berlin")


def test_an_action_counts_up_to_its_daily_maximum() -> None:
    noon = at("2026-11-25T12:00:00+01:00")
    action: Action = replace(QUEST, max_per_day=2, timezone=BERLIN)
    assert refusal(action, replace(FACTS, use=ActionUse()), {}, noon) is None
    yesterday, today = (ActionUse(2, noon, at(f"2026-11-{day}+01:00")) for day in ("24T23:59:59", "25T00:00"))
    assert refusal(action, replace(FACTS, use=yesterday), {}, noon) is None
    error = refusal(action, replace(FACTS, use=today), {}, noon)
    assert isinstance(error, RetryLater)
    assert (error.code, error.retry_after_us) == ("action_used_up_today", 12 * 3_600 * SECOND)
    assert datetime.fromtimestamp((noon + error.retry_after_us) / SECOND, UTC).hour == 23


WEEK, MONTH = PeriodKind.WEEK, PeriodKind.MONTH
OPEN = {WEEK: "2026-W48", MONTH: "2026-11"}


@pytest.mark.parametrize(
    ("used_up", "detail", "ends"),
    [
        ([], None, None),
        (["2026-W48"], "3 times in a week", "2026-11-30T00:00:00+01:00"),
        (["2026-W48", "2026-11"], "once in a month", "2026-12-01T00:00:00+01:00"),
        # A rollover of this commit has ended the week.
        (["2026-W47"], None, None),
    ],
)
def test_an_action_is_refused_until_the_last_period_ends_in_which_it_is_used_up(
    used_up: list[str], detail: str | None, ends: str | None
) -> None:
    noon = at("2026-11-25T12:00:00+01:00")
    action = replace(QUEST, max_per_period={WEEK: 3, MONTH: 1}, timezone=BERLIN)
    facts = replace(FACTS, use=ActionUse(9, noon, used_up_periods=frozenset(used_up)))
    error = refusal(action, facts, OPEN, noon)
    if detail is None or ends is None:
        assert error is None
        return
    assert isinstance(error, RetryLater)
    assert (error.code, noon + error.retry_after_us) == ("action_used_up_period", at(ends))
    assert detail in str(error)
