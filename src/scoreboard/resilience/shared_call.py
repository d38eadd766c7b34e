"""A call whose result concurrent callers share."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Run(Generic[T]):
    task: asyncio.Task[T]
    callers: int = 0


class SharedCall(Generic[T]):
    """Shares the results of one expensive call, such as a read, between its callers.

    At most one run is in progress, and at most one more waits for it to end, however many callers there are.
    An error is shared like a result. A run is cancelled when all its callers have been cancelled.
    """

    def __init__(
        self,
        call: Callable[[], Coroutine[Any, Any, T]],
        *,
        pause_seconds: float = 0.0,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """`pause_seconds` is the minimum time from the start of one run to the start of the next.

        `monotonic` returns seconds; by default it is the event loop's clock.
        """
        self._call = call
        self._pause_seconds = pause_seconds
        self._monotonic = monotonic or _loop_time
        self._newest: _Run[T] | None = None
        self._is_waiting = False
        self._started_at = float("-inf")

    async def run(self, max_age_seconds: float = 0.0) -> T:
        """Return the result of the newest run, or run again if it started `max_age_seconds` ago.

        By default, a run that has already started is too old, so the result is at least as new as the
        caller's request. Raises what the call raises.
        """
        newest = self._newest
        is_fresh = self._is_waiting or (max_age_seconds > 0 and self._age() < max_age_seconds)
        if newest is None or newest.task.cancelling() or not is_fresh:
            self._is_waiting = True
            previous = None if newest is None else newest.task
            newest = self._newest = _Run(asyncio.create_task(self._run_after(previous)))
        newest.callers += 1
        try:
            return await asyncio.shield(newest.task)
        finally:
            newest.callers -= 1
            if not newest.callers and not newest.task.done():
                newest.task.cancel()
                await asyncio.wait((newest.task,))

    @property
    def age_seconds(self) -> float:
        """Return the age of the newest run: 0 while it waits for its start, infinite without a run."""
        return 0.0 if self._is_waiting else self._age()

    def _age(self) -> float:
        return self._monotonic() - self._started_at

    async def _run_after(self, previous: asyncio.Task[T] | None) -> T:
        if previous is not None:
            await asyncio.wait((previous,))
        if self._pause_seconds and (early := self._pause_seconds - self._age()) > 0:
            await asyncio.sleep(early)
        self._is_waiting = False
        self._started_at = self._monotonic()
        return await self._call()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
