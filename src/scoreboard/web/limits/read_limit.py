"""The limit of reads and new streams of one client address."""

from collections.abc import Callable, Sequence

from starlette.types import Scope

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.ports.clock import Clock
from scoreboard.resilience.rate_limiter import RateLimiter
from scoreboard.web.limits.rate_headers import ADDRESS, Header, policies
from scoreboard.web.problems import ReadsLimited


class ReadLimit:
    """Limits reads, with and without a token. Without a limit, all of them pass."""

    def __init__(
        self, limit: RateLimit | None, clock: Clock, client_address: Callable[[Scope], str | None]
    ) -> None:
        self._limiter = None if limit is None else RateLimiter(limit, clock.monotonic)
        self._client_address = client_address
        self.policies: Sequence[Header] = policies({ADDRESS: limit})

    def check(self, scope: Scope) -> None:
        """Count a request. Call this before anything that costs more. Raises ReadsLimited."""
        if self._limiter is None:
            return
        address = self._client_address(scope)
        if address is not None and (wait_us := self._limiter.take(address)):
            raise ReadsLimited(wait_us)
