"""Logging to standard error: for people if it is a terminal, otherwise as lines of JSON."""

import logging
import sys
from collections.abc import Sequence
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
    rendering: Sequence[structlog.typing.Processor]
    if to_terminal:
        # The default tracebacks show the values of variables, which may hold a token.
        plain = structlog.dev.plain_traceback
        rendering = (structlog.dev.ConsoleRenderer(exception_formatter=plain),)
    else:
        rendering = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if to_terminal else "iso", utc=not to_terminal),
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_LogStream(sys.stderr)),  # type: ignore[arg-type]  # It uses these two methods only.
    )
