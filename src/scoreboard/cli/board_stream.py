"""Watching a board from afar: reads its stream, and comes back whenever it ends."""

import http.client
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from scoreboard import __version__
from scoreboard.cli.server_url import server_url
from scoreboard.domain.errors import ScoreboardError, StartError
from scoreboard.domain.plain_text import check_id, printable

PATH: Final = "/api/leaderboard/stream"
HEADERS: Final = {
    "Accept": "text/event-stream",
    "Cache-Control": "no-cache",
    "User-Agent": f"scoreboard-watch/{__version__}",
}

ANSWER_SECONDS: Final = 5.0
"""For a connection and for the head of an answer: a server sends it at once, or it is not well."""

SILENCE_SECONDS: Final = 40.0
"""The server sends a comment every 15 s: where two are missing, nobody is there any more."""

FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 3.0
"""Of the back-off: a person waits at the other end."""

MAX_TOLD_SECONDS: Final = 30.0
"""A server may ask for a longer pause (`retry:`, Retry-After), but not for an hour by mistake."""

MAX_EVENT_BYTES: Final = 1_048_576
"""A board has a few KiB. What never ends is no board, and must not fill the memory."""

MAX_WAITING: Final = 64
"""News that nobody has taken yet. Beyond it the stream is not read: the server then leaves out boards for us."""


class _Schema(BaseModel):
    # Fields that a newer server adds are none of our business.
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", strict=True, frozen=True
    )


class Row(_Schema):
    """A player of the board."""

    rank: int
    user_id: str
    name: str
    score: int


class Board(_Schema):
    """The top of a board after exactly `version` events: the stream is live."""

    board: str
    version: int
    updated_at: datetime | None
    players: int
    entries: tuple[Row, ...]
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Behind:
    """The server answers, with an older board than one that was shown: that one stays."""


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no stream; it is tried again soon."""

    reason: str


News = Board | Behind | Lost


class _NoStream(Exception):
    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class BoardStream:
    """The boards of a server, never an older one after a newer. Raises StartError where the address is none."""

    def __init__(
        self,
        url: str,
        board: str | None = None,
        *,
        token: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._connection, self._target = _address(url, board)
        self._headers = HEADERS if token is None else {**HEADERS, "Authorization": f"Bearer {token}"}
        self._sleep = sleep
        self._uniform = uniform
        self._newest: Board | None = None
        self._retry_seconds = 0.0
        self._failures = 0

    def news(self) -> Iterator[News]:
        """Without an end. Raises StartError where the server says that there is no such board."""
        while True:
            retry_after_seconds = 0.0
            try:
                for board in self._boards():
                    self._failures = 0
                    yield self._newer(board)
                reason = "the stream ended"
            except _NoStream as error:
                reason, retry_after_seconds = str(error), error.retry_after_seconds
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = _words(error)
            yield Lost(printable(reason))
            self._sleep(self._pause_seconds(retry_after_seconds))
            self._failures += 1

    def _newer(self, board: Board) -> Board | Behind:
        newest = self._newest
        # The default board is another one where the catalog was changed: its versions have nothing to do with ours.
        if newest is not None and newest.board == board.board and board.version < newest.version:
            return Behind()
        self._newest = board
        return board

    def _pause_seconds(self, retry_after_seconds: float) -> float:
        back_off = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10))
        # `retry:` differs from client to client as it is; Retry-After is the same for all who were refused together.
        return max(self._retry_seconds, retry_after_seconds + self._uniform(0.5, 1.0) * back_off)

    def _boards(self) -> Iterator[Board]:
        with closing(self._connection()) as connection:
            connection.connect()
            # The connection forgets its socket where the answer is to end with it.
            socket = connection.sock
            connection.request("GET", self._target, headers=self._headers)
            with connection.getresponse() as response:
                _check(response)
                socket.settimeout(SILENCE_SECONDS)
                for name, value in _fields(response):
                    if name == "leaderboard":
                        yield Board.model_validate_json(value)
                    elif name == "retry":
                        self._retry_seconds = _told_seconds(value, 0.001)


def _fields(response: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    """Events as (type, data), and each `retry` (WHATWG HTML, section 9.2.6)."""
    event, data, size = "message", list[str](), 0
    for line in _lines(response):
        size += len(line)
        if size > MAX_EVENT_BYTES:
            raise _NoStream("what came is no board")
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "retry":
            yield "retry", value
        elif not name and not line.startswith(b":"):
            if data:
                yield event, "\n".join(data)
            event, data, size = "message", [], 0


def _lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while line := response.readline(MAX_EVENT_BYTES + 1):
            yield line
    except TimeoutError as error:
        raise _NoStream(f"nothing came for {SILENCE_SECONDS:.0f} s") from error


HOPELESS: Final = frozenset({400, 401, 403, 404, 422})
"""What waiting will not change: an unknown board, or a token that is missing or not good."""


def _check(response: http.client.HTTPResponse) -> None:
    """Raises StartError where it would be the same for ever, and _NoStream for any other answer than a stream."""
    kind = response.headers.get_content_type()
    if response.status == 200 and kind == "text/event-stream":
        return
    if response.status in HOPELESS and kind == "application/problem+json":
        raise StartError(_detail(response.read(MAX_EVENT_BYTES)))
    if response.status == 200:
        raise _NoStream(f"the answer is no stream but {kind}")
    phrase = http.client.responses.get(response.status, "")
    raise _NoStream(
        f"the answer is {response.status} {phrase}".rstrip(),
        _told_seconds(response.headers.get("Retry-After"), 1.0),
    )


def _detail(body: bytes) -> str:
    try:
        problem: Any = json.loads(body)
    except ValueError:
        problem = None
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return printable(detail) if isinstance(detail, str) else "There is no such board."


def _told_seconds(value: str | None, unit_seconds: float) -> float:
    """A pause as a server tells it; 0 where it does not, or does so by a date, which would need its clock."""
    if value is None or not (value.isascii() and value.isdigit()):
        return 0.0
    # A number of so many digits is more than enough, and int() would refuse it.
    return min(MAX_TOLD_SECONDS, int(value[:9]) * unit_seconds)


def _words(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer"
        case ValidationError() | UnicodeError():
            return "what came is no board"
        case http.client.IncompleteRead():
            return "the connection was lost"
        case OSError(strerror=str(text)):
            return text
        case _:
            return str(error) or type(error).__name__


def _address(url: str, board: str | None) -> tuple[Callable[[], http.client.HTTPConnection], str]:
    """How to connect, and what to ask for. Raises StartError."""
    server = server_url(url)
    kind = http.client.HTTPSConnection if server.is_tls else http.client.HTTPConnection
    path = server.path + PATH
    try:
        target = path if board is None else f"{path}?{urlencode({'board': check_id(board)})}"
    except ValueError as error:
        raise StartError(f"The board's id {error}.") from error
    return partial(kind, server.host, server.port, timeout=ANSWER_SECONDS), target


class Reader:
    """Reads in a thread, so that a slow name server or a silent network never holds up who asks for news."""

    def __init__(self, stream: BoardStream) -> None:
        self._stream = stream
        self._queue: Queue[News | ScoreboardError | None] = Queue(MAX_WAITING)
        Thread(target=self._read, name="board-stream", daemon=True).start()

    def _read(self) -> None:
        try:
            for news in self._stream.news():
                self._queue.put(news)
        except ScoreboardError as error:
            self._queue.put(error)
        finally:
            self._queue.put(None)

    def take(self, timeout_seconds: float) -> list[News]:
        """All news there is; where there is none, wait. Raises what ended the stream."""
        taken: list[News] = []
        try:
            news = self._queue.get(timeout=timeout_seconds)
            while True:
                if isinstance(news, ScoreboardError):
                    raise news
                if news is None:
                    raise StartError("The stream cannot be read any more: this is a fault of ours.")
                taken.append(news)
                news = self._queue.get_nowait()
        except Empty:
            return taken
