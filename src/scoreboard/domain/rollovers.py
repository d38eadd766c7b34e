"""Rollovers: the events that begin the periods of a board. Each ends the period of its kind before."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import NO_PLAYER, Event, EventKind, Head, NewId
from scoreboard.domain.periods import Period, PeriodKind, kind_of, period_at
from scoreboard.domain.windows import order_us

KINDS: Final = tuple(PeriodKind)


class PastPeriods:
    """The rollovers of a board up to a version: which periods were open at each event."""

    def __init__(self) -> None:
        self._begun: dict[PeriodKind, tuple[list[int], list[str]]] = {}

    def append(self, version: int, period: str) -> None:
        """Add the next rollover."""
        versions, periods = self._begun.setdefault(kind_of(period), ([], []))
        versions.append(version)
        periods.append(period)

    def of(self, version: int) -> tuple[str, ...]:
        """Return the periods to which an event belongs: those that were open when it was appended."""
        found = [ALL_TIME]
        for versions, periods in self._begun.values():
            if index := bisect_right(versions, version):
                found.append(periods[index - 1])
        return tuple(found)

    def span(self, period: str) -> tuple[int, int | None]:
        """Return the version of the rollover that began a period, and of the one that ended it, if any."""
        if period == ALL_TIME:
            return 0, None
        versions, periods = self._begun[kind_of(period)]
        index = periods.index(period)
        return versions[index], versions[index + 1] if index + 1 < len(versions) else None


def due_periods(definition: Definition, head: Head, now_us: int) -> tuple[Period, ...]:
    """Return the periods of a board that have begun, and that no rollover has begun yet: one of each kind at
    most.

    Boundaries that were missed in between have no rollover. A clock that goes back ends no period.
    """
    return not_begun(periods_at(definition, now_us), head)


def periods_at(definition: Definition, at_us: int) -> tuple[Period, ...]:
    """Return the period of each kind that boards with a definition have at a moment."""
    return tuple(period_at(kind, at_us, definition.timezone) for kind in definition.periods)


def not_begun(periods: Iterable[Period], head: Head) -> tuple[Period, ...]:
    """Return those of the periods of a moment that no rollover has begun yet."""
    # The ids of one kind sort as text like the periods.
    return tuple(period for period in periods if period.id > head.periods.get(period.kind, ""))


def roll_over(
    board: str, definition: Definition, head: Head, now_us: int, new_id: NewId
) -> tuple[tuple[Event, ...], Head]:
    """Return the rollovers that are due at a time, and the head after them."""
    events: list[Event] = []
    for period in due_periods(definition, head, now_us):
        at_us, clock_us = order_us(now_us, head)
        event = Event(
            event_id=new_id(),
            board=board,
            version=head.version + 1,
            player=NO_PLAYER,
            kind=EventKind.ROLLOVER,
            seq=None,
            action_id=None,
            action_seq=None,
            points=0,
            score=0,
            at_us=at_us,
            clock_us=clock_us,
            period=period.id,
            boundary_us=period.begins_us,
        )
        events.append(event)
        opened = {**head.periods, period.kind: period.id}
        # In a fixed order, whichever of them begins first.
        periods = {kind: opened[kind] for kind in KINDS if kind in opened}
        head = replace(head, version=event.version, at_us=at_us, clock_us=clock_us, periods=periods)
    return tuple(events), head
