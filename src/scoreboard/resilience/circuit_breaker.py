"""A circuit breaker: calls to an unreachable server fail at once, without waiting for a time-out."""

from asyncio import sleep
from collections.abc import Awaitable, Callable

import structlog

from scoreboard.resilience.background_loop import BackgroundLoop

log = structlog.get_logger()


class CircuitBreaker:
    """Closed while calls may be made. The caller opens it after an error, and calls nothing while it is open.

    While it is open, `probe` is called every `retry_seconds`, and closes it by returning True. Without a
    probe, the breaker closes after `retry_seconds`, so that the next call is the probe.
    """

    def __init__(
        self,
        server: str,
        *,
        retry_seconds: float,
        probe: Callable[[], Awaitable[bool]] | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """`server` names the server in the log."""
        self._server = server
        self._retry_seconds = retry_seconds
        self._probe = probe
        self._on_close = on_close
        self._loop = BackgroundLoop(f"{server} probe", self._tick)
        self.is_open = False

    def open(self, reason: str) -> None:
        """Open the breaker: callers make no calls until it closes. No effect if it is open already."""
        if not self.is_open:
            log.warning("server unavailable, circuit breaker opened", server=self._server, reason=reason)
            self.is_open = True
            self._loop.start()
            self._loop.wake()

    async def stop(self) -> None:
        """Stop probing."""
        await self._loop.stop()

    async def _tick(self) -> float | None:
        await sleep(self._retry_seconds)
        if self._probe is not None and not await self._probe():
            return 0.0
        log.info("circuit breaker closed", server=self._server)
        self.is_open = False
        self._on_close()
        return None
