"""A cache of the players who are over their rate limit, in each process."""

from typing import Final

from scoreboard.domain.errors import RateLimited
from scoreboard.ports.clock import Clock
from scoreboard.services.clock_guard import ClockGuard

SET_CLOCK_US: Final = 500_000
"""A larger difference to the monotonic clock means that the clock was set. Well below the shortest window."""

REMEMBERED_REFUSALS: Final = 100_000
"""Size of the cache of players over their limit (~100 bytes each)."""


class RememberedRefusals:
    """The players over the limit, and until when: a hint that keeps floods from the store. It may expire too early."""

    def __init__(self, clock: Clock, guard: ClockGuard) -> None:
        self._clock = clock
        self._guard = guard
        self._offsets = guard.offsets()
        self._until: dict[str, tuple[float, float]] = {}

    def now(self) -> float:
        return self._clock.monotonic()

    def check(self, user_id: str) -> None:
        """Raise RateLimited if the player is over the limit."""
        known = self._until.get(user_id)
        if known is None:
            return
        if self._clock_was_set():
            # The store's refusal now ends at another time, or has ended.
            self._until.clear()
            return
        ends, told = known
        now = self.now()
        if now < ends:
            raise RateLimited(round((told - now) * 1_000_000))
        del self._until[user_id]

    def _clock_was_set(self) -> bool:
        """Return True if the clock was set after the first refusal in the cache."""
        return any(
            before is not None and now is not None and abs(now - before) > SET_CLOCK_US
            for before, now in zip(self._offsets, self._guard.offsets(), strict=True)
        )

    def remember(self, user_id: str, asked_at: float, retry_after_us: int) -> None:
        """Cache a refusal. It expires slightly early, so that the hint never outlives the store's refusal.

        `Retry-After` ends slightly late instead, so that a client that waits for it is accepted.
        """
        if not self._until:
            self._offsets = self._guard.offsets()
        if len(self._until) >= REMEMBERED_REFUSALS:
            del self._until[next(iter(self._until))]
        wait_seconds = retry_after_us / 1_000_000
        self._until[user_id] = (asked_at + wait_seconds, self.now() + wait_seconds)
