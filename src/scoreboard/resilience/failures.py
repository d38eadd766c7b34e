"""Logging and counting of errors that must not stop the process."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.rate_limiter import RateLimiter

LOG_INTERVAL_SECONDS: Final = 60
"""A repeated failure is logged once in this time, so that it does not flood the log."""

REMEMBERED_FAILURES: Final = 100
"""The number of different failures that are remembered, to recognise repeated ones."""

log = structlog.get_logger()


class Failures:
    """Reports the unexpected errors of one kind of work to the log (with a traceback) and the observer."""

    def __init__(
        self, work: str, observer: Observer = NULL_OBSERVER, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._work = work
        self._observer = observer
        limit = RateLimit(1, LOG_INTERVAL_SECONDS * 1_000_000)
        self._log_limit = RateLimiter(limit, monotonic, REMEMBERED_FAILURES)

    @contextmanager
    def catch(self, **context: object) -> Iterator[None]:
        """Report an error of the block instead of raising it. `context` goes into the log.

        Use it in a loop, around each of several independent items: one bad item does not stop the others.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001  # No type tells a bad input from a bug, and a bad input must not stop a server.
            self.report(error, **context)

    def report(self, error: Exception, **context: object) -> None:
        """Count and log an error. A loop over very many items calls this itself: `catch` costs more."""
        self._observer.failed(self._work)
        if self._log_limit.take((type(error), *context.values())) == 0:
            log.error("unexpected error, the server continues", work=self._work, exc_info=error, **context)
