"""How often boards may be read, and streams opened, from one address: whoever asks, with a token or without."""

from collections.abc import Callable, Sequence

from starlette.types import Scope

from scoreboard.domain.boards import RateLimit
from scoreboard.ports.clock import Clock
from scoreboard.resilience.rate_limiter import RateLimiter
from scoreboard.web.limits.rate_headers import ADDRESS, Header, policies
from scoreboard.web.problems import ReadsLimited


class ReadLimit:
    """The limit of all routes that read; without one, none."""

    def __init__(self, limit: RateLimit | None, clock: Clock, address: Callable[[Scope], str | None]) -> None:
        self._limiter = None if limit is None else RateLimiter(limit, clock.monotonic)
        self._address = address
        self.policies: Sequence[Header] = policies({ADDRESS: limit})

    def check(self, scope: Scope) -> None:
        """Raises ReadsLimited. To be asked first: what is refused later has cost something, too."""
        if self._limiter is None:
            return
        address = self._address(scope)
        if address is not None and (wait_us := self._limiter.take(address)):
            raise ReadsLimited(wait_us)
