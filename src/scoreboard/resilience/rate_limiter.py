"""A rate limiter in the memory of one process, for limits that are not worth a query to the store.

It is the generic cell rate algorithm (ITU-T I.371): a limit of 600/minute allows 600 at once, and from then
on one every 0.1 s. It keeps one number for each key. So its memory is bounded, and it knows exactly when the
next one passes.

The library `limits` does the same, but its clock cannot be replaced in tests, its memory is unbounded, and
its clean-up visits all keys every 10 ms: with 50,000 keys, it delayed single requests by 50 to 100 ms.
"""

import time
from collections.abc import Callable, Hashable
from typing import Final

from scoreboard.domain.rate_limit import RateLimit

REMEMBERED_KEYS: Final = 100_000
"""About 20 MB. The key used longest ago is forgotten first, and may then exceed its limit."""


class RateLimiter:
    """Limits how often something happens for each key, such as a client or a kind of log line."""

    def __init__(
        self, limit: RateLimit, monotonic: Callable[[], float] = time.monotonic, size: int = REMEMBERED_KEYS
    ) -> None:
        """`monotonic` returns seconds. At most `size` keys are remembered."""
        self._limit = limit
        self._monotonic = monotonic
        self._size = size
        self._whole_at: dict[Hashable, int] = {}
        """For each key, the time at which it has its whole limit again. The unit is microseconds times
        `limit.count`, so that the arithmetic stays in integers: one use costs `window_us`."""

    def take(self, key: Hashable) -> int:
        """Count one use and return 0, or, over the limit, return the microseconds until the next one."""
        count, window_us = self._limit.count, self._limit.window_us
        now = round(self._monotonic() * 1_000_000) * count
        whole_at = max(self._whole_at.get(key, now), now) + window_us
        if (early := whole_at - now - window_us * count) > 0:
            return -(-early // count)
        self._whole_at.pop(key, None)
        if len(self._whole_at) >= self._size:
            del self._whole_at[next(iter(self._whole_at))]
        self._whole_at[key] = whole_at
        return 0
