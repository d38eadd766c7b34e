"""A stream has the same bytes on each transport."""

import json
import re
from pathlib import Path
from typing import Any

from scoreboard.domain.submissions import Caller
from scoreboard.fanout.stream_view import StreamView
from tests.harness import Running
from tests.servers.process import until
from tests.web.raw_connections import received_to_the_end, received_until
from tests.web.streams.transports import (
    ASK,
    Transport,
    asked,
    served,
    unchunked,
)


def test_each_transport_has_its_subscriber(transport: Transport, scoreboard: Running) -> None:
    with scoreboard.watch() as watcher:
        watcher.frame()
        ring = scoreboard.scoreboard.hub._rings[StreamView("main")]
        assert [type(subscriber) for subscriber in ring.subscribers()] == [transport.subscriber]


def test_the_bytes_are_the_same(transport: Transport, scoreboard: Running) -> None:
    with asked(scoreboard) as client:
        head, _, body = received_until(client, b'"version":1').partition(b"\r\n\r\n")
        # The rest of the event, and everything up to the end of the stream.
        scoreboard.score("bob", name="Bob")
        body += received_until(client, b'"version":2')
        scoreboard.stop()
        body += received_to_the_end(client)
    status, *headers = head.decode().lower().split("\r\n")
    assert status == "http/1.1 200 ok"
    assert sorted(header for header in headers if not header.startswith("date:")) == [
        "cache-control: no-cache, no-transform",
        "connection: close",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "content-type: text/event-stream; charset=utf-8",
        "cross-origin-resource-policy: same-origin",
        "referrer-policy: no-referrer",
        *(["strict-transport-security: max-age=31536000"] if transport.has_tls else []),
        "transfer-encoding: chunked",
        "vary: origin",
        "x-accel-buffering: no",
        "x-content-type-options: nosniff",
    ]
    assert body.endswith(b"0\r\n\r\n")
    *events, end = unchunked(body).decode().split("\n\n")
    # Each empty line ends an event that has data: many clients treat any empty line as an event.
    assert [names(event) for event in events] == [["retry", "id", "event", "data"], ["id", "event", "data"]]
    assert re.match(r"retry: [123]\d\d\d\n", events[0])
    assert re.fullmatch(r"retry: [123]\d\d\d\n", end)
    boards = [json.loads(event.split("data: ")[1]) for event in events]
    assert [board["version"] for board in boards] == [1, 2]
    assert boards[1] == scoreboard_as_sent(boards[1])


def names(event: str) -> list[str]:
    return [line.partition(":")[0] for line in event.splitlines()]


def scoreboard_as_sent(board: dict[str, Any]) -> dict[str, Any]:
    """Return the board of Ada and Bob, each with one quest."""
    rows = zip((1, 2), ("ada", "bob"), ("Ada", "Bob"), strict=True)
    entries = [{"rank": rank, "userId": user, "name": name, "score": 50} for rank, user, name in rows]
    for entry, sent in zip(entries, board["entries"], strict=True):
        entry["reachedAt"] = sent["reachedAt"]
    return {"board": "main", "version": 2, "updatedAt": board["updatedAt"], "players": 2, "entries": entries}


def test_frames_come_in_order(scoreboard: Running) -> None:
    with scoreboard.watch() as watcher:
        versions = [watcher.frame()["version"]]
        for number in range(30):
            scoreboard.score(f"user-{number % 5}")
        while versions[-1] < 31:
            versions.append(watcher.frame()["version"])
        assert versions == sorted(set(versions))


def test_line_separators_in_an_id_do_not_end_a_line_of_an_event(scoreboard: Running) -> None:
    """Some clients split a stream with `str.splitlines`, which knows more line ends than the format."""
    user_id = "a\u2028b\u2029c"
    assert scoreboard.score(user_id).status_code == 201
    with asked(scoreboard) as client:
        text = received_until(client, b"}]}\n\n").decode()
    (data,) = [line for line in text.splitlines() if line.startswith("data: ")]
    assert user_id in {entry["userId"] for entry in json.loads(data.removeprefix("data: "))["entries"]}


def test_a_page_of_another_origin_may_open_a_stream(scoreboard: Running) -> None:
    with scoreboard.client.stream(
        "GET",
        "/api/leaderboard/stream",
        headers={"Origin": "https://elsewhere.example", "Accept-Encoding": "gzip"},
    ) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        # Compression would delay events.
        assert "Content-Encoding" not in response.headers


def test_head_has_the_headers_of_a_stream(scoreboard: Running) -> None:
    response = scoreboard.client.head("/api/leaderboard/stream")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert scoreboard.scoreboard.hub.counts.opened == 0


def test_a_client_that_has_the_newest_board_gets_only_newer_ones(scoreboard: Running) -> None:
    ask = ASK.replace(b"Host:", b"Last-Event-ID: 1\r\nHost:")
    with scoreboard.watch() as other, asked(scoreboard, ask) as client:
        other.frame()
        received = received_until(client, b"retry")
        while scoreboard.scoreboard.hub.streams < 2:
            scoreboard.board()
        scoreboard.score("bob")
        received += received_until(client, b'"version":2')
        assert b'"version":1' not in received


def test_a_client_with_any_other_version_gets_the_newest_board(scoreboard: Running) -> None:
    for version in ("0", "999999", "-1", "1.5", "x", "9" * 100):
        with scoreboard.client.stream(
            "GET", "/api/leaderboard/stream", headers={"Last-Event-ID": version}
        ) as response:
            assert any('"version":1' in line for line in response.iter_lines()), version


def test_a_stream_of_a_private_board_ends_with_its_token(
    transport: Transport, tmp_path: Path, certificate: dict[str, Path]
) -> None:
    with served(transport, tmp_path, certificate, require_auth_to_read=True) as scoreboard:
        token = scoreboard.tokens.sign(Caller("ada"), 60)
        ask = ASK[:-2] + b"Authorization: Bearer %b\r\n\r\n" % token.encode()
        with asked(scoreboard, ask) as client:
            received = received_until(client, b"event: leaderboard")
            scoreboard.clock.advance(70)
            received += received_to_the_end(client)
        events = unchunked(received.partition(b"\r\n\r\n")[2])
        # The last event is complete, and a random time to reconnect follows.
        assert re.search(rb"}\n\nretry: [123]\d\d\d\n$", events)
        until(lambda: scoreboard.scoreboard.hub.counts.expired == 1, "the stream is counted")
        with asked(scoreboard, ask) as client:
            assert b"token_expired" in received_until(client, b"}")


def test_a_stream_of_a_public_board_does_not_end_when_a_token_expires(scoreboard: Running) -> None:
    ask = ASK[:-2] + b"Authorization: Bearer %b\r\n\r\n" % scoreboard.tokens.sign(Caller("ada"), 60).encode()
    with asked(scoreboard, ask) as client:
        received_until(client, b"event: leaderboard")
        scoreboard.clock.advance(70)
        scoreboard.score("bob")
        received_until(client, b"bob")
