"""How the program logs: for a person at a terminal, as JSON lines for everything else. Always to standard error."""

import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog


class _Forgiving:
    """A log whose reader has gone, or whose disk is full, keeps nobody from what is done meanwhile."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logs() -> None:
    """Set up structlog, and let uvicorn's and other libraries' warnings through."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    to_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if to_terminal else "iso", utc=not to_terminal),
            *_rendering(to_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_Forgiving(sys.stderr)),  # type: ignore[arg-type]  # it asks no more
    )


def _rendering(to_terminal: bool) -> tuple[structlog.typing.Processor, ...]:
    if to_terminal:
        return (_for_a_person(),)
    return structlog.processors.format_exc_info, structlog.processors.JSONRenderer()


def _for_a_person() -> structlog.dev.ConsoleRenderer:
    """With plain tracebacks: the default shows the values of all variables, and one of them may be a token."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
