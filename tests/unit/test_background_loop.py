"""A background loop continues after every error of its work."""

import asyncio

from structlog.testing import capture_logs

from scoreboard.ports.observer import NULL_OBSERVER
from scoreboard.resilience.background_loop import RETRY_SECONDS, BackgroundLoop
from scoreboard.resilience.failures import LOG_INTERVAL_SECONDS, Failures
from tests.service import CountedFailures
from tests.virtual_time import run

ERRORS = [
    AttributeError("'str' object has no attribute 'get'"),
    KeyError("keys"),
    AssertionError(),
    RecursionError(),
]


class Recorder:
    """Work that records when it is called, and fails or pauses as the test says."""

    def __init__(self, *results: float | Exception | None) -> None:
        self.calls: list[float] = []
        self.results = list(results)

    async def tick(self) -> float | None:
        self.calls.append(asyncio.get_running_loop().time())
        result = self.results.pop(0) if self.results else None
        if isinstance(result, Exception):
            raise result
        return result


def test_work_that_fails_is_reported_and_tried_again_after_a_pause() -> None:
    observer, work = CountedFailures(), Recorder(*ERRORS)

    async def main() -> None:
        async with BackgroundLoop("odd", work.tick, observer):
            await asyncio.sleep(100)

    with capture_logs() as logs:
        run(main())
    assert work.calls == [number * RETRY_SECONDS for number in range(len(ERRORS) + 1)]
    assert observer.failures == ["odd"] * len(ERRORS)
    assert [(line["work"], line["exc_info"]) for line in logs] == [("odd", error) for error in ERRORS]


def test_the_work_decides_how_long_the_loop_pauses_and_a_wake_ends_the_pause() -> None:
    work = Recorder(2.0, 3.0, 10.0, None)

    async def main() -> None:
        async with BackgroundLoop("work", work.tick) as loop:
            await asyncio.sleep(6)
            loop.wake()
            await asyncio.sleep(100)
            loop.wake()
            await asyncio.sleep(100)

    run(main())
    assert work.calls == [0, 2, 5, 6, 106]


def test_a_wake_during_the_work_is_not_lost() -> None:
    calls = 0

    async def main() -> None:
        async def tick() -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                loop.wake()

        loop = BackgroundLoop("work", tick)
        async with loop:
            await asyncio.sleep(1)

    run(main())
    assert calls == 2


def test_stopping_waits_for_the_work_to_end_and_the_loop_can_be_started_again() -> None:
    ended = 0

    async def tick() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            ended += 1

    async def main() -> None:
        loop = BackgroundLoop("work", tick)
        for number in (1, 2):
            async with loop:
                await asyncio.sleep(1)
            assert ended == number

    run(main())


def test_a_repeated_failure_does_not_flood_the_log() -> None:
    now = [0.0]
    failures = Failures("odd", NULL_OBSERVER, lambda: now[0])
    with capture_logs() as logs:
        for second in range(2 * LOG_INTERVAL_SECONDS):
            now[0] = second
            for board in ("main", "side"):
                with failures.catch(board=board):
                    raise ValueError(f"not a version: {second}")
    assert [line["board"] for line in logs] == ["main", "side", "main", "side"]
