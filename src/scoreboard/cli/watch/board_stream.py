"""Client of a board's event stream. It reconnects whenever the stream ends."""

import random
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import Final

import httpx2
from pydantic import ValidationError

from scoreboard import __version__
from scoreboard.cli.server_url import server_url
from scoreboard.cli.watch.schemas import Board, Definition, Definitions, Problem
from scoreboard.cli.watch.view import View
from scoreboard.domain.errors import ScoreboardError, StartError
from scoreboard.domain.plain_text import printable

STREAM: Final = "/api/leaderboard/stream"
PAGE: Final = "/api/leaderboard"
BOARDS: Final = "/api/boards"

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


@dataclass(frozen=True, slots=True)
class OlderBoard:
    """The server sent an older board than before. The one before is still shown."""


@dataclass(frozen=True, slots=True)
class StreamLoss:
    """There is no stream. The client connects again soon."""

    reason: str


@dataclass(frozen=True, slots=True)
class PeriodEnd:
    """The period has ended. There are no further updates."""

    period: str


Update = Board | Definition | OlderBoard | StreamLoss | PeriodEnd


class _NoStream(Exception):
    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class BoardStream:
    """The updates of a board, whose versions never decrease. Raises StartError for an invalid address."""

    def __init__(
        self,
        url: str,
        view: View,
        *,
        token: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        if token is not None and not (token.isascii() and token.isprintable()):
            raise StartError("The token has a character that no token has.")
        self._server = server_url(url)
        self._view = view
        self._headers = {"Accept-Encoding": "identity", "User-Agent": f"scoreboard-watch/{__version__}"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._sleep = sleep
        self._uniform = uniform
        self._definition: Definition | None = None
        self._newest: Board | None = None
        self._retry_seconds = 0.0
        self._failures = 0

    def updates(self) -> Iterator[Update]:
        """Yield updates until the period ends. Raises StartError if the server refuses the view or the token.

        The definition is the first update, except for losses of the connection.
        """
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
                    for update in self._attempt(client):
                        self._failures = 0
                        yield update
                        if isinstance(update, PeriodEnd):
                            return
                    reason = "the stream ended"
                except _NoStream as error:
                    reason, retry_after_seconds = str(error), error.retry_after_seconds
                except (httpx2.HTTPError, ValidationError) as error:
                    reason = _reason(error)
                yield StreamLoss(printable(reason))
                self._sleep(self._pause_seconds(retry_after_seconds))
                self._failures += 1

    def _attempt(self, client: httpx2.Client) -> Iterator[Update]:
        """Yield updates until the connection or the period ends."""
        if self._definition is None:
            self._definition = self._view.definition(self._definitions(client))
            yield self._definition
        if self._view.is_streamed(self._definition):
            for board in self._boards(client):
                if self._view.is_named and board.period != self._view.period:
                    break
                yield self._newer(board)
            else:
                return
        yield Board.model_validate_json(self._read(client, PAGE + self._view.page_query))
        yield PeriodEnd(self._view.period)

    def _definitions(self, client: httpx2.Client) -> Definitions:
        try:
            return Definitions.model_validate_json(self._read(client, BOARDS))
        except StartError:
            # An older server has none. If it refuses the board or the token, the stream says why.
            return Definitions(boards=())

    def _read(self, client: httpx2.Client, path: str) -> bytes:
        with client.stream("GET", f"{self._server}{path}") as response:
            _check(response, JSON)
            return _body(response)

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
        url = f"{self._server}{STREAM}{self._view.stream_query}"
        with client.sse(url, max_event_size=MAX_EVENT_BYTES) as events:
            _check(events.response, EVENT_STREAM)
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


EVENT_STREAM: Final = "text/event-stream"
JSON: Final = "application/json"
TITLES: Final = {EVENT_STREAM: "an event stream", JSON: "JSON"}


def _check(response: httpx2.Response, expected: str) -> None:
    """Raise StartError for a permanent refusal, and _NoStream for any other response of another type."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code == 200 and kind == expected:
        return
    if response.status_code in PERMANENT_REFUSALS and kind == "application/problem+json":
        raise StartError(_detail(response))
    if response.status_code == 200:
        raise _NoStream(f"the response is {kind or 'of no type'}, not {TITLES[expected]}")
    raise _NoStream(
        f"the response is {response.status_code} {response.reason_phrase}".rstrip(),
        _requested_seconds(response.headers.get("Retry-After", "")),
    )


def _detail(response: httpx2.Response) -> str:
    try:
        return printable(Problem.model_validate_json(_body(response)).detail)
    except ValidationError:
        return "There is no such board."


def _body(response: httpx2.Response) -> bytes:
    """Return the body, up to a limit. A longer one is no valid JSON then."""
    body = b""
    for part in response.iter_bytes():
        body += part
        if len(body) > MAX_EVENT_BYTES:
            break
    return body


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
        except BaseException:
            self._queue.put(None)
            raise

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
