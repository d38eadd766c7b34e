"""A cache of the players who are over their rate limit, in each process."""

from typing import Final

from scoreboard.domain.errors import RateLimited
from scoreboard.ports.clock import Clock
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.minimum_versions import MinimumVersions

MAX_CLOCK_DRIFT_US: Final = 500_000
"""If a clock drifts from the monotonic clock by more, it was set. Well below the shortest window."""

REMEMBERED_REFUSALS: Final = 100_000
"""Size of the cache of players over their limit (~100 bytes each)."""


class RefusalCache:
    """The players over the limit, and until when. A flood of their submissions does not reach the store.

    It counts nothing, so it is not a rate limiter: the rule inside the commit decides. An entry may expire
    too early. All entries are dropped after a correction, because another rule may now refuse the player.
    """

    def __init__(self, clock: Clock, clock_guard: ClockGuard, minimum: MinimumVersions) -> None:
        self._clock = clock
        self._clock_guard = clock_guard
        self._minimum = minimum
        self._offsets = clock_guard.offsets()
        self._increases = minimum.increases
        self._until: dict[str, tuple[float, float]] = {}
        """For each player, the end of the refusal as it is cached, and as it is reported in `Retry-After`."""

    def check(self, user_id: str) -> None:
        """Raise RateLimited if the player is over the limit."""
        known = self._until.get(user_id)
        if known is None:
            return
        if self._was_clock_set() or self._increases != self._minimum.increases:
            # The store's refusal now ends at another time, or is another one.
            self._until.clear()
            return
        ends, reported = known
        now = self._clock.monotonic()
        if now < ends:
            raise RateLimited(round((reported - now) * 1_000_000))
        del self._until[user_id]

    def remember(self, user_id: str, asked_at: float, retry_after_us: int) -> None:
        """Cache a refusal. It ends slightly before the store's refusal.

        `Retry-After` ends slightly after the store's refusal, so that a client that waits for it is accepted.
        """
        if not self._until:
            self._offsets = self._clock_guard.offsets()
            self._increases = self._minimum.increases
        if len(self._until) >= REMEMBERED_REFUSALS:
            del self._until[next(iter(self._until))]
        wait_seconds = retry_after_us / 1_000_000
        self._until[user_id] = (asked_at + wait_seconds, self._clock.monotonic() + wait_seconds)

    def _was_clock_set(self) -> bool:
        """Return True if the clock was set after the first refusal in the cache."""
        return any(
            before is not None and now is not None and abs(now - before) > MAX_CLOCK_DRIFT_US
            for before, now in zip(self._offsets, self._clock_guard.offsets(), strict=True)
        )
