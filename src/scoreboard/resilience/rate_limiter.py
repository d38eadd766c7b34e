"""A limit that one process keeps by itself, in memory: for what is not worth a trip to the store.

It is the generic cell rate algorithm (ITU-T I.371): a limit of 600/minute lets through 600 at once, and from then on
one every 0.1 s. Of each client one number is kept, so the memory has a bound, and it is known exactly when the next one
passes.

The library `limits`, whose notation the settings have, would do it too. But its clock cannot be held, nothing bounds
its memory, and its clean-up goes over all clients every 10 ms: with 50,000 of them it held up single requests for 50 to
100 ms.
"""

from typing import Final

from scoreboard.domain.boards import RateLimit
from scoreboard.ports.clock import Clock

REMEMBERED_CLIENTS: Final = 100_000
"""Some 20 MB. Whoever has been away the longest is forgotten first, and may then do more, not less."""


class Limiter:
    """Counts what clients do, each by a name."""

    def __init__(self, limit: RateLimit, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._whole_at: dict[str, int] = {}
        """When all of its limit is a client's again, in microseconds times `limit.count`: so one costs `window_us`."""

    def take(self, client: str) -> int:
        """Let one through, and return 0; or microseconds after which one would pass, and count nothing."""
        count, window_us = self._limit.count, self._limit.window_us
        now = round(self._clock.monotonic() * 1_000_000) * count
        whole_at = max(self._whole_at.get(client, now), now) + window_us
        if (early := whole_at - now - window_us * count) > 0:
            return -(-early // count)
        self._whole_at.pop(client, None)
        if len(self._whole_at) >= REMEMBERED_CLIENTS:
            del self._whole_at[next(iter(self._whole_at))]
        self._whole_at[client] = whole_at
        return 0
