"""Port of the process's clocks and id generator."""

from typing import Protocol


class Clock(Protocol):
    """The process's clocks, handed in so that a test can hold them."""

    def now_us(self) -> int:
        """The time of day, in microseconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
