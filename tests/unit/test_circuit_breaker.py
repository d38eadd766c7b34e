"""Calls to a server that is unreachable fail at once, until a probe finds it again."""

import asyncio
from collections.abc import Iterator

from structlog.testing import capture_logs

from scoreboard.resilience.background_loop import RETRY_SECONDS
from scoreboard.resilience.circuit_breaker import CircuitBreaker
from tests.virtual_time import run


def test_it_stays_open_until_a_probe_succeeds() -> None:
    answers: Iterator[bool | Exception] = iter([False, False, KeyError(5_798), True])

    async def probe() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> list[float]:
        clock = asyncio.get_running_loop().time
        closed = list[float]()
        breaker = CircuitBreaker(
            "Redis", retry_seconds=2, probe=probe, on_close=lambda: closed.append(clock())
        )
        states = [breaker.is_open]
        for _ in range(2):
            breaker.open("Connection reset by peer")
            states.append(breaker.is_open)
        await asyncio.sleep(100)
        assert [*states, breaker.is_open] == [False, True, True, False]
        await breaker.stop()
        return closed

    with capture_logs() as logs:
        # The error of the third probe costs an extra pause.
        assert run(main()) == [8 + RETRY_SECONDS]
    assert [line["log_level"] for line in logs] == ["warning", "error", "info"]


def test_without_a_probe_it_closes_after_a_while_and_can_open_again() -> None:
    async def main() -> None:
        breaker = CircuitBreaker("database replica", retry_seconds=10)
        for _ in range(3):
            breaker.open("it has another history")
            await asyncio.sleep(9.9)
            before = breaker.is_open
            await asyncio.sleep(0.2)
            assert (before, breaker.is_open) == (True, False)
        await breaker.stop()

    run(main())
