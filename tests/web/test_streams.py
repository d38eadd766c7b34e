"""A stream is the same on each transport: on a detached connection, over plain ASGI, and over TLS."""

import asyncio
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.domain.submissions import Caller
from scoreboard.fanout import ring
from scoreboard.fanout.subscriber import Subscriber
from scoreboard.web.streaming.asgi_subscriber import AsgiSubscriber
from scoreboard.web.streaming.socket_subscriber import SocketSubscriber
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.limits import LIMIT_SECONDS

ASK: Final = b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: test\r\n\r\n"


@dataclass(frozen=True)
class Transport:
    """How a stream is sent to its client."""

    subscriber: type[Subscriber]
    loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    has_extensions: bool = True
    has_tls: bool = False


TRANSPORTS: Final = {
    "detached-asyncio": Transport(SocketSubscriber),
    "detached-uvloop": Transport(SocketSubscriber, uvloop.new_event_loop),
    "asgi-asyncio": Transport(AsgiSubscriber, has_extensions=False),
    "asgi-uvloop": Transport(AsgiSubscriber, uvloop.new_event_loop, has_extensions=False),
    "tls-asyncio": Transport(AsgiSubscriber, has_tls=True),
    "tls-uvloop": Transport(AsgiSubscriber, uvloop.new_event_loop, has_tls=True),
}


def without_extensions(application: ASGIApp) -> ASGIApp:
    """Serve as under another ASGI server."""

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await application({**scope, "extensions": {}}, receive, send)

    return plain


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def scoreboard(transport: Transport, tmp_path: Path, certificate: dict[str, Path]) -> Iterator[Running]:
    with served(transport, tmp_path, certificate) as server:
        yield server


@contextmanager
def served(
    transport: Transport, folder: Path, certificate: dict[str, Path], **given: Any
) -> Iterator[Running]:
    if transport.has_tls:
        given |= certificate
    if not transport.has_extensions:
        given["around"] = without_extensions
    with running(
        folder, HeldClock(), loop_factory=transport.loop, rate_limit="100000/minute", **given
    ) as server:
        server.score("ada", name="Ada")
        yield server


@contextmanager
def connected(scoreboard: Running, ask: bytes = ASK) -> Iterator[socket.socket]:
    """Open a connection and send `ask`."""
    where = urlsplit(scoreboard.url)
    with socket.create_connection((where.hostname, where.port), timeout=LIMIT_SECONDS) as plain:
        client = plain
        if where.scheme == "https":
            context = ssl.create_default_context(cafile=str(scoreboard.settings.tls_certificate))
            client = context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=True)
        with client:
            client.sendall(ask)
            yield client


def received_until(client: socket.socket, awaited: bytes) -> bytes:
    received = b""
    while awaited not in received:
        data = client.recv(65_536)
        assert data, f"the connection has ended after {received!r}"
        received += data
    return received


def received_to_the_end(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(65_536):
        received += data
    return received


def unchunked(body: bytes) -> bytes:
    """Decode chunks (RFC 9112, section 7.1). The last one may be incomplete."""
    text = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        text += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return text


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "transport", [TRANSPORTS[name] for name in names], ids=names, indirect=True
    )


def test_each_transport_has_its_subscriber(transport: Transport, scoreboard: Running) -> None:
    with scoreboard.watch() as watcher:
        watcher.frame()
        ring = scoreboard.scoreboard.hub._rings["main"]
        assert [type(subscriber) for subscriber in ring.subscribers()] == [transport.subscriber]


def test_the_bytes_are_the_same(transport: Transport, scoreboard: Running) -> None:
    with connected(scoreboard) as client:
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


@only("detached-asyncio", "detached-uvloop")
def test_a_client_of_http_1_0_gets_no_chunks(scoreboard: Running) -> None:
    """Over plain ASGI this is up to the server, and uvicorn always sends chunks."""
    with connected(scoreboard, b"GET /api/leaderboard/stream HTTP/1.0\r\n\r\n") as client:
        head, _, body = received_until(client, b'"version":1').partition(b"\r\n\r\n")
        scoreboard.score("bob")
        body += received_until(client, b'"version":2')
        scoreboard.stop()
        body += received_to_the_end(client)
    assert b"transfer-encoding" not in head
    assert [block.split(b":")[0] for block in body.split(b"\n\n")] == [b"retry", b"id", b"retry"]


@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "later"])
def test_another_request_on_the_same_connection_changes_nothing(scoreboard: Running, at_once: bool) -> None:
    more = b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n"
    with connected(scoreboard, ASK + (more if at_once else b"")) as client:
        received_until(client, b'"version":1')
        if not at_once:
            client.sendall(more)
        scoreboard.score("bob")
        assert b"HTTP/1.1" not in received_until(client, b'"version":2')


@only("detached-asyncio", "detached-uvloop", "tls-asyncio", "tls-uvloop")
def test_bytes_that_a_client_sends_during_a_stream_are_ignored(scoreboard: Running) -> None:
    with connected(scoreboard) as client:
        received_until(client, b'"version":1')
        client.sendall(b"\0nonsense" * 10_000)
        scoreboard.score("bob")
        received_until(client, b'"version":2')


BEHIND = {
    "request": ASK,
    "part-of-one": b"POST /api/scores HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n{",
    "nonsense": b"nonsense\r\n\r\n",
}


@only("detached-asyncio", "detached-uvloop", "tls-asyncio", "tls-uvloop")
@pytest.mark.parametrize("behind", list(BEHIND.values()), ids=list(BEHIND))
def test_a_client_that_disconnects_at_once_leaves_no_stream_open(
    scoreboard: Running, behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "STALLED_SECONDS", 100 * LIMIT_SECONDS)
    counts = scoreboard.scoreboard.hub.counts
    for _ in range(20):
        with connected(scoreboard, ASK + behind):
            pass
    deadline = time.monotonic() + LIMIT_SECONDS
    while counts.opened < 20 or scoreboard.scoreboard.hub.streams:
        assert scoreboard.client.get("/health/live").status_code == 200
        assert time.monotonic() < deadline, (
            f"{scoreboard.scoreboard.hub.streams} streams of {counts.opened} are left"
        )


@only("detached-asyncio", "detached-uvloop", "tls-asyncio", "tls-uvloop")
@pytest.mark.parametrize("sent", [b"\0nonsense", b"GET / HTTP/1.1\r\n\r\n"], ids=["nonsense", "requests"])
def test_a_client_that_sends_without_end_is_disconnected(scoreboard: Running, sent: bytes) -> None:
    with connected(scoreboard) as client:
        received_until(client, b'"version":1')
        with pytest.raises((ConnectionError, ssl.SSLError)):
            client.sendall(sent * 5_000_000)
    assert scoreboard.client.get("/health/live").status_code == 200


@only("detached-asyncio", "detached-uvloop", "asgi-asyncio", "asgi-uvloop")
def test_a_stream_ends_when_the_client_shuts_down_its_sending_side(scoreboard: Running) -> None:
    """nginx does the same. (TLS has no half-closed connections.)"""
    with connected(scoreboard) as client:
        received_until(client, b'"version":1')
        client.shutdown(socket.SHUT_WR)
        received_to_the_end(client)
        while scoreboard.scoreboard.hub.streams:
            scoreboard.board()


def test_a_client_that_has_the_newest_board_gets_only_newer_ones(scoreboard: Running) -> None:
    ask = ASK.replace(b"Host:", b"Last-Event-ID: 1\r\nHost:")
    with scoreboard.watch() as other, connected(scoreboard, ask) as client:
        other.frame()
        received = received_until(client, b"retry")
        while scoreboard.scoreboard.hub.streams < 2:
            scoreboard.board()
        scoreboard.score("bob")
        received += received_until(client, b'"version":2')
        assert b'"version":1' not in received


@pytest.mark.parametrize("version", ["0", "999999", "-1", "1.5", "x", "9" * 100])
def test_a_client_with_any_other_version_gets_the_newest_board(scoreboard: Running, version: str) -> None:
    with scoreboard.client.stream(
        "GET", "/api/leaderboard/stream", headers={"Last-Event-ID": version}
    ) as response:
        assert any('"version":1' in line for line in response.iter_lines())


def test_a_stream_of_a_private_board_ends_with_its_token(
    transport: Transport, tmp_path: Path, certificate: dict[str, Path]
) -> None:
    with served(transport, tmp_path, certificate, require_auth_to_read=True) as scoreboard:
        token = scoreboard.tokens.sign(Caller("ada"), 60)
        ask = ASK[:-2] + b"Authorization: Bearer %b\r\n\r\n" % token.encode()
        with connected(scoreboard, ask) as client:
            received = received_until(client, b"event: leaderboard")
            scoreboard.clock.advance(70)
            received += received_to_the_end(client)
        events = unchunked(received.partition(b"\r\n\r\n")[2])
        # The last event is complete, and a random time to reconnect follows.
        assert re.search(rb"}\n\nretry: [123]\d\d\d\n$", events)
        assert scoreboard.scoreboard.hub.counts.expired == 1
        with connected(scoreboard, ask) as client:
            assert b"token_expired" in received_until(client, b"}")


def test_a_stream_of_a_public_board_does_not_end_when_a_token_expires(scoreboard: Running) -> None:
    ask = ASK[:-2] + b"Authorization: Bearer %b\r\n\r\n" % scoreboard.tokens.sign(Caller("ada"), 60).encode()
    with connected(scoreboard, ask) as client:
        received_until(client, b"event: leaderboard")
        scoreboard.clock.advance(70)
        scoreboard.score("bob")
        received_until(client, b"bob")
