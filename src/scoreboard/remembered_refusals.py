"""Players over their rate limit, as a process remembers them."""

from typing import Final

from scoreboard.clock_guard import ClockGuard
from scoreboard.errors import RateLimited
from scoreboard.interfaces import Clock

SET_CLOCK_US: Final = 500_000
"""A clock that has moved so much against the monotonic one was set. Well below the least window that it would skew."""

REMEMBERED_REFUSALS: Final = 100_000
"""Players over their limit that a process remembers (~100 bytes each)."""


class RememberedRefusals:
    """Who is over the limit, and until when: a hint that saves the store a flood, and may only expire too early."""

    def __init__(self, clock: Clock, guard: ClockGuard) -> None:
        self._clock = clock
        self._guard = guard
        self._offsets = guard.offsets()
        self._until: dict[str, tuple[float, float]] = {}

    def now(self) -> float:
        return self._clock.monotonic()

    def check(self, user_id: str) -> None:
        """Raises RateLimited."""
        known = self._until.get(user_id)
        if known is None:
            return
        if self._clock_was_set():
            # The store refuses for another time now, or not at all.
            self._until.clear()
            return
        ends, told = known
        now = self.now()
        if now < ends:
            raise RateLimited(round((told - now) * 1_000_000))
        del self._until[user_id]

    def _clock_was_set(self) -> bool:
        """True if it was since the first refusal that is remembered."""
        return any(
            before is not None and now is not None and abs(now - before) > SET_CLOCK_US
            for before, now in zip(self._offsets, self._guard.offsets(), strict=True)
        )

    def remember(self, user_id: str, asked_at: float, retry_after_us: int) -> None:
        """The hint ends before the store's own refusal does, since `asked_at` lies before the store has decided.

        What is told ends after it: who comes back then is let in.
        """
        if not self._until:
            self._offsets = self._guard.offsets()
        if len(self._until) >= REMEMBERED_REFUSALS:
            del self._until[next(iter(self._until))]
        wait_seconds = retry_after_us / 1_000_000
        self._until[user_id] = (asked_at + wait_seconds, self.now() + wait_seconds)
