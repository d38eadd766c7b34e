"""The stream client of `scoreboard watch` reconnects after any failure, and never shows an older board."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from scoreboard.cli.watch import board_stream
from scoreboard.cli.watch.board_stream import BoardStream, StreamLoss
from scoreboard.cli.watch.view import View
from scoreboard.cli.watch.views import Lines
from scoreboard.domain.errors import StartError
from tests.clocks import HeldClock
from tests.limits import LIMIT_SECONDS
from tests.servers.process import free_port


@contextmanager
def answering(*answers: str, stay_open: bool = False) -> Iterator[str]:
    """The address of a server that gives each connection the next of some answers, and closes it.

    With `stay_open`, the last connection stays open.
    """
    over = Event()

    def serve() -> None:
        for number, answer in enumerate(answers, start=1):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer.encode())
                if stay_open and number == len(answers):
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
BOARDS = head("200 OK", "Content-Type: application/json") + '{"time":"2026-11-24T10:00:00Z","boards":[]}'
PROBLEM = head("404 Not Found", "Content-Type: application/problem+json")


def test_it_reconnects_after_any_failure_and_never_shows_an_older_board() -> None:
    printed: list[str] = []
    lines = Lines(HeldClock(), lambda text, **_: printed.append(text.partition(" ")[2]))
    answers = (
        head("503 Service Unavailable", "Retry-After: 20", "Content-Type: text/html"),
        BOARDS,
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
        stream = BoardStream(url, View(), sleep=pauses.append, uniform=lambda _least, most: most)
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
    assert next(BoardStream(f"http://127.0.0.1:{free_port()}", View()).updates()) == StreamLoss(
        "Connection refused"
    )


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
    answers = (BOARDS, answer) if answer.startswith(STREAM) else (answer,)
    with answering(*answers, stay_open=True) as url:
        losses = (each for each in BoardStream(url, View()).updates() if isinstance(each, StreamLoss))
        assert next(losses) == StreamLoss(reason)


@pytest.mark.parametrize(
    ("body", "told"),
    [('{"detail":"There is no board “x”."}', "There is no board “x”."), ("{}", "There is no such board.")],
)
def test_a_refusal_that_stays_ends_it(body: str, told: str) -> None:
    # The first one is that of an older server, which has no definitions.
    with answering(PROBLEM + body, PROBLEM + body) as url, pytest.raises(StartError, match=f"^{told}$"):
        list(BoardStream(url, View("x")).updates())


@pytest.mark.parametrize("token", ["a\nb", "ä"])
def test_a_token_that_no_header_can_have_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(StartError) as refused:
        BoardStream("http://127.0.0.1", View(), token=token)
    assert token not in str(refused.value)


WEEKS = (
    '{"time":"2026-11-24T10:00:00Z","boards":[{"id":"main","decimals":1,"unit":null,"columns":[],'
    '"sort":"descending","timezone":"UTC","periods":[{"kind":"week","id":"2026-W48"}]}]}'
)
WEEKLY = head("200 OK", "Content-Type: application/json") + WEEKS


def week(version: int, score: int, period: str) -> str:
    """Return an event of a stream of weeks."""
    return event(version, score).replace('"version"', f'"period":"{period}","version"')


def page(frame: str) -> str:
    """Return the answer of a read with the board of an event."""
    return head("200 OK", "Content-Type: application/json") + frame.rpartition("data: ")[2]


def printed_by(view: View, *answers: str) -> list[str]:
    """Return all that `watch` prints until the period ends."""
    printed: list[str] = []
    lines = Lines(HeldClock(), lambda text, **_: printed.append(text.partition(" ")[2]))
    with answering(*answers) as url:
        for update in BoardStream(url, view, sleep=lambda _: None).updates():
            lines.take(update)
    return printed


def test_an_open_period_with_an_id_is_followed_until_it_ends() -> None:
    stream = STREAM + week(7, 70, "2026-W48") + week(8, 80, "2026-W48") + week(9, 5, "2026-W49")
    assert printed_by(View(period="2026-W48"), WEEKLY, stream, page(week(8, 80, "2026-W48"))) == [
        "live",
        "2026-W48 until 2026-11-30T00:00:00Z",
        "v7 1 Ada 7.0",
        "v8 1 Ada 8.0 (+1.0)",
        "2026-W48 has ended",
    ]


def test_a_period_that_is_over_is_printed_once() -> None:
    assert printed_by(View(period="2026-W47"), WEEKLY, page(week(6, 60, "2026-W47"))) == [
        "live",
        "2026-W47 until 2026-11-23T00:00:00Z",
        "v6 1 Ada 6.0",
        "2026-W47 has ended",
    ]


def test_a_kind_of_period_goes_on_with_the_next_one() -> None:
    stream = STREAM + week(7, 70, "2026-W48") + week(9, 5, "2026-W49")
    printed: list[str] = []
    lines = Lines(HeldClock(), lambda text, **_: printed.append(text.partition(" ")[2]))
    with answering(WEEKLY, stream) as url:
        updates = BoardStream(url, View(period="week"), sleep=lambda _: None).updates()
        while len(printed) < 5:
            lines.take(next(updates))
    assert printed == [
        "live",
        "2026-W48 until 2026-11-30T00:00:00Z",
        "v7 1 Ada 7.0",
        "2026-W49 until 2026-12-07T00:00:00Z",
        "v9 1 Ada 0.5",
    ]


@pytest.mark.parametrize("period", ["weeks", "2026-W60", "2026-13", "", "2026-w48"])
def test_a_period_that_does_not_exist_is_refused(period: str) -> None:
    with pytest.raises(StartError, match="use all, day, week, month, or an id such as"):
        View(period=period)
