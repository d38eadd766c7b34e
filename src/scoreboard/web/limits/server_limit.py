"""The limit of submissions and renames of one trusted server. Each instance counts separately."""

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.domain.submissions import Caller
from scoreboard.ports.clock import Clock
from scoreboard.resilience.rate_limiter import RateLimiter
from scoreboard.web.problems import ServerLimited


class ServerLimit:
    """Limits trusted servers, each by the subject of its token. Without a limit, all requests pass."""

    def __init__(self, limit: RateLimit | None, clock: Clock) -> None:
        self.limit = limit
        self._limiter = None if limit is None else RateLimiter(limit, clock.monotonic)

    def check(self, caller: Caller) -> None:
        """Count a request, if the caller is a trusted server. Raises ServerLimited."""
        if self._limiter is None or WRITE_ANY_SCORES not in caller.scopes:
            return
        if wait_us := self._limiter.take(caller.user_id):
            raise ServerLimited(wait_us)
