"""Client of a board's event stream. It reconnects whenever the stream ends."""

import random
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, Queue
from threading import Thread
from typing import Final
from urllib.parse import urlencode

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from scoreboard import __version__
from scoreboard.cli.server_url import server_url
from scoreboard.domain.errors import ScoreboardError, StartError
from scoreboard.domain.plain_text import check_id, printable

PATH: Final = "/api/leaderboard/stream"

ANSWER_SECONDS: Final = 5.0
"""Time limit for a connection, and for the head of a response."""

SILENCE_SECONDS: Final = 40.0
"""Time limit between two reads. The server sends a comment every 15 s, so two of them are missing by then."""

FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 3.0
"""Limits of the back-off. The longer one is short, because a person is waiting."""

MAX_REQUESTED_SECONDS: Final = 30.0
"""A server may request a longer pause (`retry:`, Retry-After), up to this limit."""

MAX_EVENT_BYTES: Final = 1_048_576
"""A board has a few KiB. A larger event is an error, and is not kept in memory."""

MAX_QUEUED_UPDATES: Final = 64
"""Updates in the queue. While it is full, the stream is not read, and the server skips boards."""


class _Schema(BaseModel):
    # A newer server may send additional fields.
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", strict=True, frozen=True
    )


class Row(_Schema):
    """A row of the board."""

    rank: int
    user_id: str
    name: str
    score: int


class Board(_Schema):
    """The top of a board after exactly `version` events. The stream is live."""

    board: str
    version: int
    updated_at: datetime | None
    players: int
    entries: tuple[Row, ...]
    stale: bool = False


@dataclass(frozen=True, slots=True)
class OlderBoard:
    """The server sent an older board than before. The one before is still shown."""


@dataclass(frozen=True, slots=True)
class StreamLoss:
    """There is no stream. The client connects again soon."""

    reason: str


Update = Board | OlderBoard | StreamLoss


class _NoStream(Exception):
    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class BoardStream:
    """The updates of a board, whose versions never decrease. Raises StartError for an invalid address."""

    def __init__(
        self,
        url: str,
        board: str | None = None,
        *,
        token: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        try:
            query = "" if board is None else f"?{urlencode({'board': check_id(board)})}"
        except ValueError as error:
            raise StartError(f"The board's id {error}.") from error
        if token is not None and not (token.isascii() and token.isprintable()):
            raise StartError("The token has a character that no token has.")
        self._url = f"{server_url(url)}{PATH}{query}"
        self._headers = {"Accept-Encoding": "identity", "User-Agent": f"scoreboard-watch/{__version__}"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._sleep = sleep
        self._uniform = uniform
        self._newest: Board | None = None
        self._retry_seconds = 0.0
        self._failures = 0

    def updates(self) -> Iterator[Update]:
        """Yield updates without end. Raises StartError if the server refuses the board or the token."""
        with httpx2.Client(
            headers=self._headers,
            timeout=ANSWER_SECONDS,
            verify=ssl.create_default_context(),
            # A connection that was kept may be closed by now, which would look like a failure.
            limits=httpx2.Limits(max_keepalive_connections=0),
            trust_env=False,
        ) as client:
            while True:
                retry_after_seconds = 0.0
                try:
                    for board in self._boards(client):
                        self._failures = 0
                        yield self._newer(board)
                    reason = "the stream ended"
                except _NoStream as error:
                    reason, retry_after_seconds = str(error), error.retry_after_seconds
                except (httpx2.HTTPError, ValidationError) as error:
                    reason = _reason(error)
                yield StreamLoss(printable(reason))
                self._sleep(self._pause_seconds(retry_after_seconds))
                self._failures += 1

    def _newer(self, board: Board) -> Board | OlderBoard:
        newest = self._newest
        # A changed catalog may have another default board, whose versions are not comparable.
        if newest is not None and newest.board == board.board and board.version < newest.version:
            return OlderBoard()
        self._newest = board
        return board

    def _pause_seconds(self, retry_after_seconds: float) -> float:
        back_off = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10))
        # Each client gets its own `retry:`. Retry-After is the same for all, so it needs a random part.
        return max(self._retry_seconds, retry_after_seconds + self._uniform(0.5, 1.0) * back_off)

    def _boards(self, client: httpx2.Client) -> Iterator[Board]:
        with client.sse(self._url, max_event_size=MAX_EVENT_BYTES) as events:
            _check(events.response)
            # The client's timeout was for the head of the response. httpx2 reads this value before each read.
            events.response.request.extensions["timeout"]["read"] = SILENCE_SECONDS
            try:
                for event in events:
                    if event.retry is not None:
                        self._retry_seconds = min(MAX_REQUESTED_SECONDS, max(0, event.retry) / 1_000)
                    if event.event == "leaderboard" and event.data:
                        yield Board.model_validate_json(event.data)
            except httpx2.ReadTimeout as error:
                raise _NoStream(f"no data for {SILENCE_SECONDS:.0f} s") from error


PERMANENT_REFUSALS: Final = frozenset({400, 401, 403, 404, 422})
"""Refusals that a retry does not change: an unknown board, or a missing or invalid token."""


def _check(response: httpx2.Response) -> None:
    """Raise StartError for a permanent refusal, and _NoStream for any other response that is not a stream."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code == 200 and kind == "text/event-stream":
        return
    if response.status_code in PERMANENT_REFUSALS and kind == "application/problem+json":
        raise StartError(_detail(response))
    if response.status_code == 200:
        raise _NoStream(f"the response is {kind or 'of no type'}, not an event stream")
    raise _NoStream(
        f"the response is {response.status_code} {response.reason_phrase}".rstrip(),
        _requested_seconds(response.headers.get("Retry-After", "")),
    )


def _detail(response: httpx2.Response) -> str:
    body = next(response.iter_bytes(MAX_EVENT_BYTES), b"")
    try:
        return printable(_Problem.model_validate_json(body).detail)
    except ValidationError:
        return "There is no such board."


class _Problem(_Schema):
    detail: str


def _requested_seconds(retry_after: str) -> float:
    """Return the pause of a Retry-After header, or 0 for a date, because the server's clock is not known."""
    if not (retry_after.isascii() and retry_after.isdigit()):
        return 0.0
    # int() refuses more than 4,300 digits.
    return min(MAX_REQUESTED_SECONDS, float(int(retry_after[:9])))


ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")


def _reason(error: Exception) -> str:
    """Return why there is no stream, for a person."""
    match error:
        case httpx2.TimeoutException():
            return "no response"
        case ValidationError() | httpx2.SSEError():
            return "the response is not a board"
    return ERRNO.sub("", str(error)) or type(error).__name__


class Reader:
    """Read a stream in a thread, so that a slow name server or network never blocks the caller."""

    def __init__(self, stream: BoardStream) -> None:
        self._stream = stream
        self._queue: Queue[Update | ScoreboardError | None] = Queue(MAX_QUEUED_UPDATES)
        Thread(target=self._read, name="board-stream", daemon=True).start()

    def _read(self) -> None:
        try:
            for update in self._stream.updates():
                self._queue.put(update)
        except ScoreboardError as error:
            self._queue.put(error)
        finally:
            self._queue.put(None)

    def take(self, timeout_seconds: float) -> list[Update]:
        """Return all updates in the queue, or wait for one. Raises the error that ended the stream."""
        taken: list[Update] = []
        try:
            update = self._queue.get(timeout=timeout_seconds)
            while True:
                if isinstance(update, ScoreboardError):
                    raise update
                if update is None:
                    raise StartError("The stream cannot be read because of an error in this program.")
                taken.append(update)
                update = self._queue.get_nowait()
        except Empty:
            return taken
