"""Detection of jumps of the store's clock, before anything is written with a wrong time."""

from typing import Final

import structlog

from scoreboard.domain.errors import ClockUnsure
from scoreboard.ports.clock import Clock

JUMP_SECONDS: Final = 60.0
"""Smaller changes are accepted: NTP and a fail-over to another server cause them."""

GRACE_SECONDS: Final = 30.0
"""A jump is refused for this time, and then accepted. It covers a few polls of a time service that corrects
itself. It is also the longest outage after a suspended machine wakes up with the right time."""

_JUMP_US: Final = round(JUMP_SECONDS * 1_000_000)

log = structlog.get_logger()


class ClockGuard:
    """Compares each reading of the store's clock with this machine's monotonic clock.

    A jump by more than a minute refuses all writes until the clock comes back, or until a grace period is
    over. One guard serves one store; `check` is called by one thread at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trusted_us: int | None = None
        self._doubted: tuple[int, float] | None = None
        self.jumps = 0
        """The number of jumps so far."""

    @property
    def is_unsure(self) -> bool:
        """True while writes are refused. From any thread."""
        doubted = self._doubted
        return doubted is not None and self._clock.monotonic() < doubted[1] + GRACE_SECONDS

    def now(self) -> float:
        """Return monotonic seconds, by the clock that readings are compared with."""
        return self._clock.monotonic()

    def check(self, reading_us: int) -> None:
        """Check a reading of the store's clock before it is written. Raises ClockUnsure."""
        now = self._clock.monotonic()
        offset_us = reading_us - round(now * 1_000_000)
        if self._trusted_us is None:
            self._compare_with_this_machine(reading_us)
        elif abs(offset_us - self._trusted_us) > _JUMP_US:
            self._doubt(offset_us, offset_us - self._trusted_us, now)
        elif self._doubted is not None:
            log.info("the clock is right again")
        self._doubted = None
        self._trusted_us = offset_us

    def offsets(self) -> tuple[int, int | None]:
        """Return how far this machine's clock and the store's are ahead of the monotonic clock."""
        return self._clock.now_us() - round(self._clock.monotonic() * 1_000_000), self._trusted_us

    def _compare_with_this_machine(self, reading_us: int) -> None:
        ahead_us = reading_us - self._clock.now_us()
        if abs(ahead_us) > _JUMP_US:
            log.warning(
                "the database's clock differs from this machine's", ahead_seconds=ahead_us // 1_000_000
            )

    def _doubt(self, offset_us: int, jump_us: int, now: float) -> None:
        """Raise ClockUnsure until the grace period is over."""
        if self._doubted is None or abs(offset_us - self._doubted[0]) > _JUMP_US:
            self._doubted = (offset_us, now)
            self.jumps += 1
            log.error(
                "the clock has jumped: scores are refused until it is right, for a while",
                jump_seconds=jump_us // 1_000_000,
                grace_seconds=GRACE_SECONDS,
            )
        left_seconds = self._doubted[1] + GRACE_SECONDS - now
        if left_seconds > 0:
            raise ClockUnsure(round(left_seconds * 1_000_000))
        log.warning(
            "the clock has not come back: scores are accepted by its new time",
            jump_seconds=jump_us // 1_000_000,
        )
