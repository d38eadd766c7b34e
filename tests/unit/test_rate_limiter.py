"""The rate limiter, to the microsecond."""

import pytest

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.resilience.rate_limiter import RateLimiter
from tests.clocks import HeldClock


@pytest.mark.parametrize("count", [1, 2, 3, 7, 600, 60_000])
def test_the_limit_passes_at_once_and_then_one_by_one(count: int) -> None:
    clock = HeldClock()
    limiter = RateLimiter(RateLimit(count, 60_000_000), clock.monotonic)
    assert [limiter.take("ada") for _ in range(count)] == [0] * count
    for _ in range(20):
        wait_us = limiter.take("ada")
        assert 0 < wait_us <= -(-60_000_000 // count)
        clock.us += wait_us - 1
        assert limiter.take("ada") == 1
        clock.us += 1
        assert limiter.take("ada") == 0
    assert limiter.take("bob") == 0


def test_unused_time_adds_up_to_the_limit_only() -> None:
    clock = HeldClock()
    limiter = RateLimiter(RateLimit(5, 1_000_000), clock.monotonic)
    limiter.take("ada")
    clock.advance(3_600)
    assert [limiter.take("ada") == 0 for _ in range(6)] == [True] * 5 + [False]


def test_the_least_recently_used_key_is_forgotten_first() -> None:
    limiter = RateLimiter(RateLimit(1, 60_000_000), HeldClock().monotonic, size=2)
    assert [limiter.take(key) for key in ("ada", "bob", "cyd")] == [0, 0, 0]
    assert [limiter.take(key) > 0 for key in ("cyd", "bob", "ada")] == [True, True, False]
