"""Logging to standard error: for people if it is a terminal, otherwise as lines of JSON."""

import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog


class _LogStream:
    """Ignore write errors: a closed pipe or a full disk must not stop the server."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logs() -> None:
    """Set up structlog, and show the warnings of uvicorn and of other libraries."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    to_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if to_terminal else "iso", utc=not to_terminal),
            *_rendering(to_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_LogStream(sys.stderr)),  # type: ignore[arg-type]  # It uses these two methods only.
    )


def _rendering(to_terminal: bool) -> tuple[structlog.typing.Processor, ...]:
    if to_terminal:
        return (_for_a_person(),)
    return structlog.processors.format_exc_info, structlog.processors.JSONRenderer()


def _for_a_person() -> structlog.dev.ConsoleRenderer:
    """Return a renderer with plain tracebacks. The default one shows variables, which may hold a token."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
