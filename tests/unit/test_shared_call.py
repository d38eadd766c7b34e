"""Concurrent callers share a read, and none of them gets a result that is too old."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from scoreboard.resilience.shared_call import SharedCall
from tests.virtual_time import run

READ_SECONDS = 1.0


class Source:
    """A value that takes a second to read: the number of the read, with the time at which it started."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.cancelled = 0
        self.fails = False

    async def read(self) -> int:
        self.starts.append(asyncio.get_running_loop().time())
        number = len(self.starts)
        try:
            await asyncio.sleep(READ_SECONDS)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fails:
            raise LookupError(number)
        return number


async def later(seconds: float, read: Coroutine[Any, Any, int]) -> int:
    await asyncio.sleep(seconds)
    return await read


def test_callers_that_arrive_during_a_read_share_the_next_one() -> None:
    async def main() -> list[int]:
        call = SharedCall(Source().read)
        return await asyncio.gather(*(later(seconds, call.run()) for seconds in (0, 0, 0.1, 0.9, 1.5)))

    assert run(main()) == [1, 1, 2, 2, 3]


def test_callers_that_accept_an_age_share_the_read_in_progress_and_then_its_result() -> None:
    source = Source()

    async def main() -> list[int]:
        call = SharedCall(source.read)
        return await asyncio.gather(*(later(seconds, call.run(2)) for seconds in (0, 0.5, 1.5, 1.9, 2, 3.9)))

    assert run(main()) == [1, 1, 1, 1, 2, 2]
    assert source.starts == [0, 2]


def test_an_error_is_shared_like_a_result() -> None:
    source = Source()
    source.fails = True

    async def main() -> list[int | BaseException]:
        call = SharedCall(source.read)
        return await asyncio.gather(
            *(later(seconds, call.run(2)) for seconds in (0, 0.5, 1.9, 2)), return_exceptions=True
        )

    assert [repr(error) for error in run(main())] == ["LookupError(1)"] * 3 + ["LookupError(2)"]


def test_reads_keep_their_minimum_pause() -> None:
    source = Source()

    async def main() -> None:
        call = SharedCall(source.read, pause_seconds=5)
        await asyncio.gather(*(later(seconds, call.run()) for seconds in (0, 1, 2, 3, 8, 20)))

    run(main())
    assert source.starts == [0, 5, 10, 20]


@pytest.mark.parametrize("age_seconds", [0, 10])
def test_a_read_goes_on_while_one_caller_waits_for_it_and_ends_with_the_last(age_seconds: float) -> None:
    source = Source()

    async def main() -> None:
        call = SharedCall(source.read)
        first, second = (asyncio.create_task(call.run(age_seconds)) for _ in range(2))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == 1
        third = asyncio.create_task(call.run())
        waiting = asyncio.create_task(later(0.1, call.run()))
        await asyncio.sleep(0.5)
        waiting.cancel()
        third.cancel()
        await asyncio.wait((third, waiting))
        assert (len(source.starts), source.cancelled) == (2, 1)
        assert await call.run(age_seconds) == 3

    run(main())


def test_a_caller_that_comes_while_the_read_is_being_cancelled_gets_a_new_one() -> None:
    async def main() -> None:
        call = SharedCall(Source().read)
        first = asyncio.create_task(call.run())
        await asyncio.sleep(0.5)
        first.cancel()
        second = asyncio.create_task(call.run(10))
        await asyncio.wait((first,))
        assert await second == 2

    run(main())
