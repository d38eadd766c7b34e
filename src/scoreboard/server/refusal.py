"""Answers to requests that the application cannot process, and their log lines."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import structlog
from httptools import HttpParserError

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.resilience.rate_limiter import RateLimiter

LOG_INTERVAL_US: Final = 60_000_000
"""Minimum time between two log lines, so that a flood of bad requests does not flood the log."""

log = structlog.get_logger()


class Refused(Exception):
    """Raised in a callback of the parser, to stop it and refuse the request."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


def response(status: HTTPStatus) -> bytes:
    """Return the last response of a connection."""
    body = status.phrase.encode()
    return (
        b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
        b"x-content-type-options: nosniff\r\nconnection: close\r\n\r\n%b" % (status, body, len(body), body)
    )


class RefusalLog:
    """Log refusals, at most one line a minute. A line contains no data of the requests."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns monotonic seconds."""
        self._log_limit = RateLimiter(RateLimit(1, LOG_INTERVAL_US), clock)
        self._count = 0
        self._mistake: str | None = None

    def status_of(self, error: HttpParserError) -> HTTPStatus:
        """Return the status for a request that could not be parsed."""
        reason = error.__context__
        if isinstance(reason, Refused):
            return reason.status
        if reason is not None:
            # A bug in this program. The error's text and traceback may contain the request: do not log them.
            self._mistake = type(reason).__name__
        return HTTPStatus.BAD_REQUEST

    def refused(self, status: HTTPStatus) -> None:
        self._count += 1
        if self._log_limit.take("refused"):
            return
        log.warning("refused bad requests", count=self._count, last_status=int(status), mistake=self._mistake)
        self._count, self._mistake = 0, None
