"""The rule of the rate limit, decided inside the commit: exact across instances and restarts."""

from dataclasses import dataclass

from scoreboard.domain.errors import RateLimited
from scoreboard.domain.windows import left_us


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit: at most `count` uses in any `window_us` microseconds.

    The rule (`refusal`) counts the accepted submissions of one player.
    """

    count: int
    window_us: int

    def refusal(self, limiting_us: int | None, now_us: int) -> RateLimited | None:
        """Return the error for a player over the limit.

        `limiting_us` is the time of the player's `count`-th last accepted submission.
        """
        wait_us = left_us(limiting_us, self.window_us, now_us)
        return RateLimited(wait_us) if wait_us else None
