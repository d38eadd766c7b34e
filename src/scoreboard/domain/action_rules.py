"""The rules for a submission: one small pure function per rule. The catalog sets those of an action."""

from collections.abc import Callable, Mapping
from typing import Final

from scoreboard.domain.boards import Action
from scoreboard.domain.errors import (
    ActionCoolingDown,
    ActionDisabled,
    ActionNotYet,
    ActionOver,
    ActionRequires,
    ActionUsedUp,
    ActionUsedUpPeriod,
    ActionUsedUpToday,
    PlayerBanned,
    ProofRedeemed,
    ScoreboardError,
)
from scoreboard.domain.facts import SubmissionFacts
from scoreboard.domain.periods import PeriodKind, parse_period, period_at
from scoreboard.domain.windows import is_ahead, left_us

Rule = Callable[[Action, SubmissionFacts, int], ScoreboardError | None]
"""A rule returns the error with which it refuses a submission at a time, or None."""


def not_banned(_action: Action, facts: SubmissionFacts, _now_us: int) -> ScoreboardError | None:
    return PlayerBanned() if facts.player.is_banned else None


def proof_is_new(_action: Action, facts: SubmissionFacts, _now_us: int) -> ScoreboardError | None:
    return ProofRedeemed() if facts.is_proof_used else None


def enabled(action: Action, _facts: SubmissionFacts, _now_us: int) -> ScoreboardError | None:
    return None if action.enabled else ActionDisabled()


def valid_from(action: Action, _facts: SubmissionFacts, now_us: int) -> ScoreboardError | None:
    if action.valid_from_us is None or now_us >= action.valid_from_us:
        return None
    return ActionNotYet(action.valid_from_us - now_us)


def valid_until(action: Action, _facts: SubmissionFacts, now_us: int) -> ScoreboardError | None:
    """Refuse from this moment on."""
    return ActionOver() if action.valid_until_us is not None and now_us >= action.valid_until_us else None


def requires(action: Action, facts: SubmissionFacts, _now_us: int) -> ScoreboardError | None:
    return None if action.requires is None or facts.has_required else ActionRequires(action.requires)


def max_total(action: Action, facts: SubmissionFacts, _now_us: int) -> ScoreboardError | None:
    if action.max_total is None or facts.use.count < action.max_total:
        return None
    return ActionUsedUp(action.max_total)


def cooldown(action: Action, facts: SubmissionFacts, now_us: int) -> ScoreboardError | None:
    if action.cooldown_us is None:
        return None
    wait_us = left_us(facts.use.last_us, action.cooldown_us, now_us)
    return ActionCoolingDown(wait_us) if wait_us else None


def max_per_day(action: Action, facts: SubmissionFacts, now_us: int) -> ScoreboardError | None:
    """Days are those of the board's time zone. A day on which clocks change has 23 or 25 hours."""
    limiting_us = facts.use.day_limiting_us
    if action.max_per_day is None or limiting_us is None or is_ahead(limiting_us, now_us):
        return None
    today = period_at(PeriodKind.DAY, now_us, action.timezone)
    return ActionUsedUpToday(today.ends_us - now_us) if limiting_us >= today.begins_us else None


def max_per_period(
    action: Action, facts: SubmissionFacts, open_periods: Mapping[PeriodKind, str], now_us: int
) -> ScoreboardError | None:
    """Refuse until the last of the periods ends in which the action is used up.

    Periods end with a rollover: `open_periods` are those after the rollovers of this commit.
    """
    used_up = [
        parse_period(open_periods[kind], action.timezone)
        for kind in action.max_per_period
        if open_periods.get(kind) in facts.use.used_up_periods
    ]
    if not used_up:
        return None
    last = max(used_up, key=lambda period: period.ends_us)
    return ActionUsedUpPeriod(last.kind, action.max_per_period[last.kind], last.ends_us - now_us)


RULES: Final[tuple[Rule, ...]] = (
    not_banned,
    proof_is_new,
    enabled,
    valid_from,
    valid_until,
    requires,
    max_total,
    cooldown,
    max_per_day,
)


def refusal(
    action: Action, facts: SubmissionFacts, open_periods: Mapping[PeriodKind, str], now_us: int
) -> ScoreboardError | None:
    """Return the error of the first rule that refuses the submission, or None."""
    for rule in RULES:
        if (error := rule(action, facts, now_us)) is not None:
            return error
    return max_per_period(action, facts, open_periods, now_us)
