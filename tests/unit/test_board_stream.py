"""The stream client of `scoreboard watch` reconnects after any failure, and never shows an older board."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from scoreboard.cli.watch import board_stream
from scoreboard.cli.watch.board_stream import BoardStream, StreamLoss
from scoreboard.cli.watch.views import Lines
from scoreboard.domain.errors import StartError
from tests.clocks import HeldClock
from tests.limits import LIMIT_SECONDS
from tests.servers.process import free_port


@contextmanager
def answering(*answers: str, stay_open: bool = False) -> Iterator[str]:
    """The address of a server that gives each connection the next of some answers, and closes it."""
    over = Event()

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer.encode())
                if stay_open:
                    over.wait(LIMIT_SECONDS)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            thread.join(LIMIT_SECONDS)


def head(status: str, *headers: str) -> str:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""])


def event(version: int, score: int, name: str = "Ada") -> str:
    at = "2026-11-24T10:00:00Z"
    entry = f'{{"rank":1,"userId":"ada","name":"{name}","score":{score},"reachedAt":"{at}","x":1}}'
    board = f'{{"board":"main","version":{version},"updatedAt":"{at}","players":1,"entries":[{entry}]}}'
    return f": hello\n\nevent: other\ndata: x\n\nid: {version}\nevent: leaderboard\ndata: {board}\n\n"


STREAM = head("200 OK", "Content-Type: text/event-stream; charset=utf-8")
PROBLEM = head("404 Not Found", "Content-Type: application/problem+json")


def test_it_reconnects_after_any_failure_and_never_shows_an_older_board() -> None:
    printed: list[str] = []
    lines = Lines(HeldClock(), lambda text, **_: printed.append(text.partition(" ")[2]))
    answers = (
        head("503 Service Unavailable", "Retry-After: 20", "Content-Type: text/html"),
        STREAM + event(7, 70),
        head("404 Not Found", "Content-Type: text/html"),
        STREAM + event(6, 60),
        head("200 OK", "Content-Type: text/html"),
        STREAM + "event: leaderboard\ndata: {}\n\n",
        STREAM + "data: " + "x" * (board_stream.MAX_EVENT_BYTES + 1),
        STREAM + "retry: 25000\n\n" + event(7, 70),
        head("302 Found", "Location: http://127.0.0.1:1/"),
        "what is this\n\n",
        STREAM + event(8, 80, r"\u001b[31mA\u202ed\u2028a\n"),
    )
    pauses: list[float] = []
    with answering(*answers) as url:
        stream = BoardStream(url, sleep=pauses.append, uniform=lambda _least, most: most)
        updates = stream.updates()
        while not printed or not printed[-1].startswith("v8"):
            lines.take(next(updates))
        lines.take(next(updates))
    assert printed == [
        "connecting: the response is 503 Service Unavailable",
        "live",
        "v7 1 Ada 70",
        "reconnecting: the stream ended",
        "reconnecting: the response is 404 Not Found",
        "live: the server has an older board than this one",
        "reconnecting: the stream ended",
        "reconnecting: the response is text/html, not an event stream",
        "reconnecting: the response is not a board",
        "live",
        "reconnecting: the stream ended",
        "reconnecting: the response is 302 Found",
        "reconnecting: illegal status line: bytearray(b'what is this')",
        "live",
        "v8 1 [31mAda 80 (+10)",
        "reconnecting: the stream ended",
    ]
    assert pauses == [20.5, 0.5, 1.0, 0.5, 1.0, 2.0, 3.0, 25.0, 25.0, 25.0]


def test_a_server_that_is_not_there_is_told_in_plain_words() -> None:
    assert next(BoardStream(f"http://127.0.0.1:{free_port()}").updates()) == StreamLoss("Connection refused")


@pytest.mark.parametrize(
    ("answer", "limit", "reason"),
    [
        ("", "ANSWER_SECONDS", "no response"),
        ("HTTP/1.1 200 OK\r\n", "ANSWER_SECONDS", "no response"),
        (STREAM + ": hello\n\n", "SILENCE_SECONDS", "no data for 0 s"),
    ],
    ids=["no response", "half a head", "a silent stream"],
)
def test_a_silent_server_is_left_in_time(
    monkeypatch: pytest.MonkeyPatch, answer: str, limit: str, reason: str
) -> None:
    monkeypatch.setattr(board_stream, limit, 0.1)
    with answering(answer, stay_open=True) as url:
        assert next(BoardStream(url).updates()) == StreamLoss(reason)


@pytest.mark.parametrize(
    ("body", "told"),
    [('{"detail":"There is no board “x”."}', "There is no board “x”."), ("{}", "There is no such board.")],
)
def test_a_refusal_that_stays_ends_it(body: str, told: str) -> None:
    with answering(PROBLEM + body) as url, pytest.raises(StartError, match=f"^{told}$"):
        next(BoardStream(url, "x").updates())


@pytest.mark.parametrize("token", ["a\nb", "ä"])
def test_a_token_that_no_header_can_have_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(StartError) as refused:
        BoardStream("http://127.0.0.1", token=token)
    assert token not in str(refused.value)
