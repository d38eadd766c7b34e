"""Clients of a stream that disconnect, send bytes or speak HTTP/1.0."""

import socket
import ssl
import time

import pytest

from scoreboard.fanout import ring
from tests.harness import Running
from tests.limits import LIMIT_SECONDS
from tests.web.raw_connections import received_to_the_end, received_until
from tests.web.streams.transports import ASK, asked, only


@only("detached")
def test_a_client_of_http_1_0_gets_no_chunks(scoreboard: Running) -> None:
    """Over plain ASGI this is up to the server, and uvicorn always sends chunks."""
    with asked(scoreboard, b"GET /api/leaderboard/stream HTTP/1.0\r\n\r\n") as client:
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
    with asked(scoreboard, ASK + (more if at_once else b"")) as client:
        received_until(client, b'"version":1')
        if not at_once:
            client.sendall(more)
        scoreboard.score("bob")
        assert b"HTTP/1.1" not in received_until(client, b'"version":2')


@only("detached", "tls")
def test_bytes_that_a_client_sends_during_a_stream_are_ignored(scoreboard: Running) -> None:
    with asked(scoreboard) as client:
        received_until(client, b'"version":1')
        client.sendall(b"\0nonsense" * 10_000)
        scoreboard.score("bob")
        received_until(client, b'"version":2')


BEHIND = {
    "request": ASK,
    "part-of-one": b"POST /api/scores HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n{",
    "nonsense": b"nonsense\r\n\r\n",
}


@only("detached", "tls")
@pytest.mark.parametrize("behind", list(BEHIND.values()), ids=list(BEHIND))
def test_a_client_that_disconnects_at_once_leaves_no_stream_open(
    scoreboard: Running, behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "STALLED_SECONDS", 100 * LIMIT_SECONDS)
    counts = scoreboard.scoreboard.hub.counts
    for _ in range(20):
        with asked(scoreboard, ASK + behind):
            pass
    deadline = time.monotonic() + LIMIT_SECONDS
    while counts.opened < 20 or scoreboard.scoreboard.hub.streams:
        assert scoreboard.client.get("/health/live").status_code == 200
        assert time.monotonic() < deadline, (
            f"{scoreboard.scoreboard.hub.streams} streams of {counts.opened} are left"
        )


@only("detached", "tls")
@pytest.mark.parametrize(
    "sent", [b"\0nonsense", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["nonsense", "requests"]
)
def test_a_client_that_sends_without_end_is_disconnected(scoreboard: Running, sent: bytes) -> None:
    with asked(scoreboard) as client:
        received_until(client, b'"version":1')
        with pytest.raises((ConnectionError, ssl.SSLError)):
            client.sendall(sent * 5_000_000)
    assert scoreboard.client.get("/health/live").status_code == 200


@only("detached", "asgi")
def test_a_stream_ends_when_the_client_shuts_down_its_sending_side(scoreboard: Running) -> None:
    """nginx does the same. (TLS has no half-closed connections.)"""
    with asked(scoreboard) as client:
        received_until(client, b'"version":1')
        client.shutdown(socket.SHUT_WR)
        received_to_the_end(client)
        while scoreboard.scoreboard.hub.streams:
            scoreboard.board()
