"""When an action of the catalog counts: each rule a small pure function, which names what refuses a claim."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from scoreboard.domain.boards import Action
from scoreboard.domain.decisions import SubmissionFacts
from scoreboard.domain.errors import (
    ActionCoolingDown,
    ActionDisabled,
    ActionNotYet,
    ActionOver,
    ActionRequires,
    ActionUsedUp,
    ActionUsedUpToday,
    PlayerBanned,
    ProofRedeemed,
    ScoreboardError,
)
from scoreboard.domain.windows import is_ahead, left_us

Rule = Callable[[Action, SubmissionFacts], ScoreboardError | None]


def not_banned(_action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    return PlayerBanned() if facts.is_banned else None


def proof_is_new(_action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    return ProofRedeemed() if facts.is_redeemed else None


def enabled(action: Action, _facts: SubmissionFacts) -> ScoreboardError | None:
    return None if action.enabled else ActionDisabled()


def valid_from(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    if action.valid_from_us is None or facts.at_us >= action.valid_from_us:
        return None
    return ActionNotYet(action.valid_from_us - facts.at_us)


def valid_until(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    """The moment itself does not count any more."""
    return (
        ActionOver() if action.valid_until_us is not None and facts.at_us >= action.valid_until_us else None
    )


def requires(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    return None if action.requires is None or facts.has_required else ActionRequires(action.requires)


def max_total(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    if action.max_total is None or facts.action_seq < action.max_total:
        return None
    return ActionUsedUp(action.max_total)


def cooldown(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    if action.cooldown_us is None:
        return None
    wait_us = left_us(facts.used_at_us, action.cooldown_us, facts.at_us)
    return ActionCoolingDown(wait_us) if wait_us else None


def max_per_day(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    """A day is one of the board's time zone; where clocks change it has 23 hours, or 25."""
    if action.max_per_day is None or facts.day_at_us is None or is_ahead(facts.day_at_us, facts.at_us):
        return None
    begins_us, ends_us = day_of(facts.at_us, action.timezone)
    return ActionUsedUpToday(ends_us - facts.at_us) if facts.day_at_us >= begins_us else None


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
"""In the order in which they are told: what will never change first, then what passes."""


def refusal(action: Action, facts: SubmissionFacts) -> ScoreboardError | None:
    """What the first rule says that refuses a claim; None where it counts."""
    for rule in RULES:
        if (error := rule(action, facts)) is not None:
            return error
    return None


def day_of(at_us: int, timezone: ZoneInfo) -> tuple[int, int]:
    """When the day of a moment begins there, and when the next one does."""
    today = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(timezone).date()
    begins, ends = (
        round(datetime.combine(day, time(), timezone).timestamp()) * 1_000_000
        for day in (today, today + timedelta(days=1))
    )
    return begins, ends
