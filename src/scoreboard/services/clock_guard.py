"""Detection of jumps of the store's clock, before anything is written with a wrong time."""

from typing import Final, NamedTuple

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


class _Jump(NamedTuple):
    """A jump that is refused: the store's offset after it, and the monotonic time at which it was found."""

    offset_us: int
    found_at: float

    def left_seconds(self, now: float) -> float:
        """Return the rest of the grace period. It is negative once that is over."""
        return self.found_at + GRACE_SECONDS - now


class ClockGuard:
    """Compares each reading of the store's clock with this machine's monotonic clock.

    A jump by more than a minute refuses all writes until the clock comes back, or until a grace period is
    over. One guard serves one store; `check` is called by one thread at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trusted_offset_us: int | None = None
        """How far the store's clock was ahead of the monotonic clock at the last accepted reading."""
        self._jump: _Jump | None = None
        self.jumps = 0
        """The number of jumps so far."""

    @property
    def is_unsure(self) -> bool:
        """True while writes are refused. From any thread."""
        jump = self._jump
        return jump is not None and jump.left_seconds(self._clock.monotonic()) > 0

    def check(self, reading_us: int) -> None:
        """Check a reading of the store's clock before it is written. Raises ClockUnsure."""
        now = self._clock.monotonic()
        offset_us = reading_us - round(now * 1_000_000)
        if self._trusted_offset_us is None:
            self._compare_with_this_machine(reading_us)
        elif abs(offset_us - self._trusted_offset_us) > _JUMP_US:
            self._refuse_jump(offset_us, offset_us - self._trusted_offset_us, now)
        elif self._jump is not None:
            log.info("the clock is right again")
        self._jump = None
        self._trusted_offset_us = offset_us

    def offsets(self) -> tuple[int, int | None]:
        """Return how far this machine's clock and the store's are ahead of the monotonic clock."""
        return self._clock.now_us() - round(self._clock.monotonic() * 1_000_000), self._trusted_offset_us

    def latest_us(self) -> int:
        """Return the time of day by the store's clock or by this machine's, whichever is later.

        The store's clock is known from the last accepted reading. A suspended machine may fall behind it.
        """
        own_us, trusted_offset_us = self._clock.now_us(), self._trusted_offset_us
        if trusted_offset_us is None:
            return own_us
        return max(own_us, trusted_offset_us + round(self._clock.monotonic() * 1_000_000))

    def _compare_with_this_machine(self, reading_us: int) -> None:
        ahead_us = reading_us - self._clock.now_us()
        if abs(ahead_us) > _JUMP_US:
            log.warning(
                "the database's clock differs from this machine's", ahead_seconds=ahead_us // 1_000_000
            )

    def _refuse_jump(self, offset_us: int, jump_us: int, now: float) -> None:
        """Raise ClockUnsure until the grace period is over."""
        if self._jump is None or abs(offset_us - self._jump.offset_us) > _JUMP_US:
            self._jump = _Jump(offset_us, now)
            self.jumps += 1
            log.error(
                "the clock has jumped: scores are refused until it is right, for a while",
                jump_seconds=jump_us // 1_000_000,
                grace_seconds=GRACE_SECONDS,
            )
        if (left_seconds := self._jump.left_seconds(now)) > 0:
            raise ClockUnsure(round(left_seconds * 1_000_000))
        log.warning(
            "the clock has not come back: scores are accepted by its new time",
            jump_seconds=jump_us // 1_000_000,
        )
