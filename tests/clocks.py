"""Clocks and ids that a test controls."""

from collections.abc import Iterator
from itertools import count
from uuid import UUID

from scoreboard.clock import SystemClock

START_US = 1_795_000_000_000_000


class HeldClock:
    """A clock that moves only when the test advances it."""

    def __init__(self, now_us: int = START_US) -> None:
        self.us = now_us
        self._set_us = 0

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return (self.us - self._set_us) / 1_000_000

    def set_ahead(self, seconds: float) -> None:
        """Set the time of day forward or back. The monotonic clock stands still."""
        self.us += round(seconds * 1_000_000)
        self._set_us += round(seconds * 1_000_000)

    def advance(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)


def clock_for_commands() -> HeldClock:
    """Return a clock that is half an hour ahead of the machine's, by which commands sign tokens.

    So the tokens of a command are valid, however late it starts on a busy machine.
    """
    return HeldClock(SystemClock().now_us() + 1_800_000_000)


def counted_ids() -> Iterator[UUID]:
    """Yield distinct ids, the same ones in every run."""
    return (UUID(int=number) for number in count(1))
