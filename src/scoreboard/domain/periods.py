"""Periods: days, weeks and months, which begin at midnight in a time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

SECOND_US: Final = 1_000_000


class PeriodKind(StrEnum):
    """The length of a period. A week is that of ISO 8601: it begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_KINDS: Final = frozenset(kind.value for kind in PeriodKind)


@dataclass(frozen=True, slots=True)
class Period:
    """A period in a time zone. Its id is `2026-11-28`, `2026-W48` or `2026-11`.

    `ends_us` is when the next one begins. A skipped day has no length.
    """

    kind: PeriodKind
    id: str
    begins_us: int
    ends_us: int


def period_at(kind: PeriodKind, at_us: int, timezone: ZoneInfo) -> Period:
    """Return the period of a moment. It never goes back in time, even if local clocks do."""
    today = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(timezone).date()
    # Clocks that go back across midnight show the earlier day again.
    if midnight_us(tomorrow := today + timedelta(days=1), timezone) <= at_us:
        today = tomorrow
    return _period(kind, _first_day(kind, today), timezone)


def earlier(period: Period, periods: int, timezone: ZoneInfo) -> Period:
    """Return the period of the same kind that is some periods before this one."""
    first = _parse(period.kind, period.id)
    for _ in range(periods):
        first = _first_day(period.kind, first - timedelta(days=1))
    return _period(period.kind, first, timezone)


def parse_period(id: str, timezone: ZoneInfo) -> Period:
    """Return the period of an id. Raises ValueError."""
    for kind in PeriodKind:
        try:
            first = _parse(kind, id)
        except ValueError:
            continue
        if _id(kind, first) == id:
            return _period(kind, first, timezone)
    raise ValueError(f"“{id}” is not a period such as 2026-11-28, 2026-W48 or 2026-11")


def is_kind(period: str) -> bool:
    """Return True if a text names a kind, and so the period of that kind that is open."""
    return period in _KINDS


def kind_of(id: str) -> PeriodKind:
    """Return the kind of a period with this id."""
    return PeriodKind.WEEK if "W" in id else PeriodKind.DAY if len(id) > len("2026-11") else PeriodKind.MONTH


@lru_cache(maxsize=4_096)
def midnight_us(day: date, timezone: ZoneInfo) -> int:
    """Return the first moment of a day: midnight, or the moment at which clocks skip it."""
    midnight = datetime.combine(day, time(), timezone)
    before, after = (round(midnight.replace(fold=fold).timestamp()) for fold in (0, 1))
    # In a gap, the offset before it (fold 0) gives the later moment (PEP 495). Search for the start of the
    # gap between these two moments.
    while after < before:
        middle = (after + before) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(timezone).date() < day:
            after = middle + 1
        else:
            before = middle
    return before * SECOND_US


def _period(kind: PeriodKind, first: date, timezone: ZoneInfo) -> Period:
    return Period(
        kind, _id(kind, first), midnight_us(first, timezone), midnight_us(_next(kind, first), timezone)
    )


def _first_day(kind: PeriodKind, day: date) -> date:
    if kind is PeriodKind.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind is PeriodKind.MONTH else day


def _next(kind: PeriodKind, first: date) -> date:
    """Return the first day of the next period."""
    days = {PeriodKind.DAY: 1, PeriodKind.WEEK: 7, PeriodKind.MONTH: 31}[kind]
    return _first_day(kind, first + timedelta(days=days))


def _id(kind: PeriodKind, first: date) -> str:
    if kind is PeriodKind.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year:04}-W{week:02}"
    return first.isoformat() if kind is PeriodKind.DAY else first.isoformat()[:7]


def _parse(kind: PeriodKind, id: str) -> date:
    """Return the first day of a period. Raises ValueError."""
    suffix = {PeriodKind.DAY: "", PeriodKind.WEEK: "-1", PeriodKind.MONTH: "-01"}[kind]
    return date.fromisoformat(id + suffix)
