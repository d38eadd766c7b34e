"""Background work: loops that survive every error, log it and try again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog

from scoreboard.ports.observer import NULL_OBSERVER, Observer

RETRY_SECONDS: Final = 1.0
"""The pause before failed work starts again: long enough not to flood a broken partner."""

QUIET_SECONDS: Final = 60.0
"""A failure that repeats is logged once in this time, so that it does not flood the log."""

REMEMBERED: Final = 100
"""Different failures that are remembered, to recognise repeated ones."""

log = structlog.get_logger()


class Failures:
    """Reports the failures of one background loop: to the log with a traceback, and to the observer."""

    def __init__(
        self, work: str, observer: Observer = NULL_OBSERVER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._work = work
        self._observer = observer
        self._clock = clock
        self._logged: dict[tuple[object, ...], float] = {}

    @contextmanager
    def survived(self, **context: object) -> Iterator[None]:
        """Report an error of the block instead of raising it. `context` goes into the log.

        Use it inside a loop, around each of several independent items, so that one bad item does not stop the others.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001  # No type tells a bad input from a bug, and a bad input must not stop a server.
            self.report(error, **context)

    def report(self, error: Exception, **context: object) -> None:
        """Count and log an error. A loop over very many items calls this itself: `survived` costs more."""
        self._observer.failed(self._work)
        now = self._clock()
        kind = (type(error), *context.values())
        if now - self._logged.get(kind, float("-inf")) < QUIET_SECONDS:
            return
        if len(self._logged) >= REMEMBERED:
            self._logged.clear()
        self._logged[kind] = now
        log.error("background work failed and will be retried", work=self._work, exc_info=error, **context)


async def keep_running(
    work: str, run: Callable[[], Awaitable[None]], observer: Observer = NULL_OBSERVER
) -> None:
    """Run a loop, and start it again after a pause whenever it raises an error. Return when it returns."""
    failures = Failures(work, observer)
    has_returned = False
    while not has_returned:
        with failures.survived():
            await run()
            has_returned = True
        if not has_returned:
            await asyncio.sleep(RETRY_SECONDS)


@asynccontextmanager
async def background(
    loops: Mapping[str, Callable[[], Awaitable[None]]], observer: Observer
) -> AsyncIterator[None]:
    """Keep named loops running until the end of the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(keep_running(work, run, observer)) for work, run in loops.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
