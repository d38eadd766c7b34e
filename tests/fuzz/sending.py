"""Send byte strings to a server, and check the responses and the log."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from structlog.testing import capture_logs

from tests.fuzz.parts import SECRET
from tests.harness import Running
from tests.limits import LIMIT_SECONDS

SILENCE_SECONDS: Final = 0.02
"""The client disconnects after this silence, because the server may wait for the rest of a request."""


class LogHandler(logging.Handler):
    """Collects the records of structlog and other loggers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def told() -> Iterator[list[str]]:
    """Collect the log lines of the block. The list is complete at its end."""
    handler = LogHandler()
    logging.getLogger().addHandler(handler)
    try:
        with capture_logs() as lines:
            yield handler.lines
        handler.lines.extend(json.dumps(line, default=repr) for line in lines)
    finally:
        logging.getLogger().removeHandler(handler)


def sent(scoreboard: Running, data: bytes, pieces: int = 1) -> bytes:
    """Send a byte string in pieces. Return the bytes received until the connection's end, or silence."""
    where = urlsplit(scoreboard.url)
    received = b""
    size = max(1, -(-len(data) // pieces))
    with (
        suppress(ConnectionError, TimeoutError),
        socket.create_connection((where.hostname, where.port), LIMIT_SECONDS) as client,
    ):
        for begin in range(0, len(data), size):
            client.sendall(data[begin : begin + size])
        client.settimeout(SILENCE_SECONDS)
        while piece := client.recv(65_536):
            received += piece
    return received


def fault_of_answer(received: bytes) -> str | None:
    """Return the fault of an answer, or None."""
    if received and not received.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")):
        return "not an HTTP response"
    return "a server error" if b"HTTP/1.1 500 " in received else None


def fault_of_log(lines: list[str]) -> str | None:
    """Return the fault of the log, or None."""
    output = "\n".join(lines)
    if SECRET.decode() in output:
        return "the query is logged"
    if "Traceback" in output or len(lines) > 1:
        return "more than one line is logged"
    return None
