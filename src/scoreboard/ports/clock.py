"""Port of the process's clocks."""

from typing import Protocol


class Clock(Protocol):
    """The process's clocks. They are parameters, so that a test can control them."""

    def now_us(self) -> int:
        """Return the time of day, in microseconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back. Only differences are meaningful."""
