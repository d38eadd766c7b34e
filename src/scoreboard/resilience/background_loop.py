"""The one shape of background work: a loop that is started, stopped, and survives the errors of its work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, Self

from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.failures import Failures

RETRY_SECONDS: Final = 1.0
"""The pause after an error: long enough not to flood a server that is down."""


class BackgroundLoop:
    """Calls `tick` again and again, in a task of its own. An async context manager: it runs during the block.

    `tick` does one unit of work and returns the pause before the next call, in seconds, or None to pause
    until `wake`. If it raises an error, the error is reported, and `tick` is called again after
    `RETRY_SECONDS`.
    """

    def __init__(
        self,
        work: str,
        tick: Callable[[], Awaitable[float | None]],
        observer: Observer = NULL_OBSERVER,
        *,
        woken: asyncio.Event | None = None,
    ) -> None:
        """`work` names the loop in the log and in the metrics. Setting the event `woken` is like `wake`."""
        self._tick = tick
        self.failures = Failures(work, observer)
        """For errors of single items, which `tick` survives itself."""
        self._woken = woken or asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    def start(self) -> None:
        """Start to run. The first call of `tick` follows at once. No effect if the loop runs already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Cancel the loop, and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    def wake(self) -> None:
        """End the pause now, or skip the next one. A retry after an error is not made earlier."""
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            has_failed = True
            with self.failures.catch():
                pause_seconds = await self._tick()
                has_failed = False
            if has_failed:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_seconds):
                    await self._woken.wait()


@asynccontextmanager
async def running(*loops: BackgroundLoop) -> AsyncIterator[None]:
    """Run loops during the block."""
    async with AsyncExitStack() as stack:
        for loop in loops:
            await stack.enter_async_context(loop)
        yield
