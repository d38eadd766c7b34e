"""The background loop that ends the periods of boards in time, also if nothing is submitted."""

from collections.abc import Iterable, Mapping
from typing import Final

from scoreboard.domain.boards import Board
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Head
from scoreboard.domain.periods import SECOND_US, Period
from scoreboard.domain.rollovers import not_begun, periods_at
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.services.apply import Applier
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.group_commit import GroupCommit

INTERVAL_SECONDS: Final = 1.0
"""Longest time between two checks. A check needs no query: it compares the heads that healing reads."""

TOLERANCE_US: Final = 50_000
"""How long after a boundary a check comes. A store whose clock is behind by less has passed it, too."""


class Rollovers:
    """Has the periods of boards ended soon after their boundary.

    Every instance does this. The commit decides under the board's lock, so there is one rollover per period.
    A board without events has no rollovers: its first event begins its periods.
    """

    def __init__(
        self,
        boards: Iterable[Board],
        applier: Applier,
        commit: GroupCommit,
        clock_guard: ClockGuard,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        """`applier` has the heads of the boards."""
        self._applier = applier
        self._commit = commit
        self._clock_guard = clock_guard
        self._boards: dict[Definition, list[str]] = {}
        """The boards with periods, by their definition: those of one definition have the same boundaries."""
        for board in boards:
            if board.definition.periods:
                self._boards.setdefault(board.definition, []).append(board.id)
        self.loop = BackgroundLoop("rollovers", self._tick, observer)

    async def _tick(self) -> float | None:
        """Roll over the boards with a period that has ended. Return the time to the next boundary."""
        if not self._boards:
            return None
        now_us = self._clock_guard.latest_us() - TOLERANCE_US
        next_us = now_us + round(INTERVAL_SECONDS * SECOND_US)
        due: list[str] = []
        for definition, boards in self._boards.items():
            periods = periods_at(definition, now_us)
            next_us = min(next_us, *(period.ends_us for period in periods))
            due += _due(boards, periods, self._applier.heads)
        if due:
            self._commit.roll_over(due)
        return (next_us - now_us) / SECOND_US


def _due(boards: Iterable[str], periods: tuple[Period, ...], heads: Mapping[str, Head]) -> list[str]:
    """Return the boards on which one of the periods of now has not begun."""
    return [
        board
        for board in boards
        if (head := heads.get(board)) is not None and head.version and not_begun(periods, head)
    ]
