"""Limits of streams, headers, bodies and time, for each client and for all."""

import socket
import ssl
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from scoreboard.server import connection_limits as limits
from tests.harness import LoopFactory, Running, running
from tests.limits import LIMIT_SECONDS
from tests.web.problems import nothing_counts
from tests.web.raw_connections import (
    connected,
    exchanged,
    received_to_the_end,
    received_until,
    statuses,
)


def is_over_at_once(scoreboard: Running, **headers: str) -> bool:
    """Return True if a stream ends right after its reconnection time. The status is 200 anyway."""
    with scoreboard.client.stream("GET", "/api/leaderboard/stream", headers=headers) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        assert next(lines).startswith("retry: ")
        return all(not line or line.startswith("retry: ") for line in islice(lines, 4))


def test_a_stream_over_the_limit_is_refused_and_the_others_continue(
    tmp_path: Path, loop: LoopFactory
) -> None:
    with running(tmp_path, loop_factory=loop, max_streams=2, rate_limit="1000/minute") as scoreboard:
        with scoreboard.watch() as one:
            one.frame()
            with scoreboard.watch() as other:
                other.frame()
                assert is_over_at_once(scoreboard)
                scoreboard.score("ada")
                assert one.frame()["version"] == other.frame()["version"] == 1
        while scoreboard.scoreboard.hub.streams:
            scoreboard.score("bob")
        assert not is_over_at_once(scoreboard)


def test_each_address_has_its_own_limit(tmp_path: Path) -> None:
    given: dict[str, Any] = {"max_streams_per_address": 1, "trusted_proxies": "127.0.0.0/8"}
    with running(tmp_path, **given) as scoreboard, scoreboard.watch() as watcher:
        watcher.frame()
        assert is_over_at_once(scoreboard)
        assert not is_over_at_once(scoreboard, **{"X-Forwarded-For": "198.51.100.7"})


def test_an_untrusted_client_cannot_choose_its_address(tmp_path: Path) -> None:
    with running(tmp_path, max_streams_per_address=1) as scoreboard, scoreboard.watch() as watcher:
        watcher.frame()
        assert is_over_at_once(scoreboard, **{"X-Forwarded-For": "198.51.100.7"})


START = b"GET /health/live HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"


def test_a_header_of_common_size_is_accepted(server: Running) -> None:
    assert statuses(exchanged(server, START, b"Cookie: " + b"x" * 30_000 + b"\r\n\r\n")) == [200]


LARGE = {
    "whole": b"Cookie: " + b"x" * 40_000 + b"\r\n\r\n",
    "endless": b"Cookie: " + b"x" * 40_000,
    "many small fields": b"".join(b"A%d: x\r\n" % number for number in range(5_000)),
}


@pytest.mark.parametrize("fields", LARGE.values(), ids=LARGE.keys())
def test_a_large_header_is_refused(server: Running, fields: bytes) -> None:
    assert statuses(exchanged(server, START + fields)) == [431]


def test_a_slow_request_header_ends_the_connection(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_SECONDS", 0.1)
    assert statuses(exchanged(server, START)) == [408]
    assert exchanged(server) == b""


POST = (
    b"POST /api/scores HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nAuthorization: "
    b"Bearer %b\r\n"
)
BODY = b'{"actionId":"quest","userId":"ada"}'
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
DROP_SECONDS = 0.02
LENGTH = b"Content-Length: 1000\r\n\r\n"


def answer_while_dripping(client: socket.socket, drop: bytes) -> bytes:
    """Send small pieces until there is a response. Return all of it."""
    client.settimeout(DROP_SECONDS)
    received = b""
    for _ in range(round(LIMIT_SECONDS / DROP_SECONDS)):
        try:
            if not received:
                client.sendall(drop)
            data = client.recv(65_536)
        except TimeoutError:
            continue
        except ConnectionError:
            return received
        if not data:
            return received
        received += data
    raise AssertionError(f"still connected after {received!r}")


@pytest.mark.parametrize(
    ("framing", "drop"), [(LENGTH, b" "), (CHUNKED, b"1\r\n \r\n")], ids=["with a length", "in chunks"]
)
def test_a_slow_body_ends_the_connection(
    server: Running, monkeypatch: pytest.MonkeyPatch, framing: bytes, drop: bytes
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.3)
    with nothing_counts(server), connected(server) as client:
        client.sendall(POST % server.token().encode() + framing)
        assert statuses(answer_while_dripping(client, drop)) == [408]


@pytest.mark.parametrize("end", [b"", b"Connection: close\r\n"], ids=["kept", "closed after it"])
def test_a_client_that_does_not_read_its_response_is_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: LoopFactory, end: bytes
) -> None:
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.3)
    with (
        running(tmp_path, send_buffer_bytes=4_096, loop_factory=loop) as scoreboard,
        connected(scoreboard, receive_buffer_bytes=4_096) as client,
    ):
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n%b\r\n" % end)
        assert is_cut_off_though_it_reads_nothing(client)


def is_cut_off_though_it_reads_nothing(client: socket.socket) -> bool:
    """A client that does not read notices the end when it sends more requests."""
    client.settimeout(DROP_SECONDS)
    for _ in range(round(LIMIT_SECONDS / DROP_SECONDS)):
        Event().wait(DROP_SECONDS)
        try:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n")
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_an_unread_body_does_not_keep_the_connection_open(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.3)
    with connected(server) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: test\r\n" + LENGTH)
        # A client would take a second response for the one to its next request.
        assert statuses(answer_while_dripping(client, b" ")) == [200]


def test_a_body_may_follow_its_header_after_a_pause(server: Running) -> None:
    with connected(server) as client:
        for _ in range(2):
            client.sendall(POST % server.token().encode() + b"Content-Length: %d\r\n\r\n" % len(BODY))
            client.sendall(BODY[:10])
            # A second connection takes longer than one turn of the loop.
            assert server.client.get("/health/live").status_code == 200
            client.sendall(BODY[10:])
            assert statuses(received_until(client, b'"version":')) == [201]


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_client_that_starts_no_tls_handshake_is_disconnected(
    tmp_path: Path,
    certificate: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    loop: LoopFactory,
    sent: bytes,
) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_SECONDS", 0.2)
    with (
        capture_logs() as told,
        running(tmp_path, loop_factory=loop, **certificate) as scoreboard,
        connected(scoreboard) as client,
    ):
        client.sendall(sent)
        received_to_the_end(client)
    assert [line["event"] for line in told] == ["stopping"]


@pytest.mark.parametrize("last", [b"nonsense\r\n\r\n", START + b"\r\n"], ids=["refused", "answered"])
def test_a_tls_client_that_sends_after_the_last_response_is_disconnected(
    tmp_path: Path,
    certificate: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    loop: LoopFactory,
    last: bytes,
) -> None:
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.2)
    with (
        running(tmp_path, loop_factory=loop, **certificate) as scoreboard,
        connected(scoreboard) as plain,
        ssl.create_default_context(cafile=str(scoreboard.settings.tls_certificate)).wrap_socket(
            plain, server_hostname="127.0.0.1"
        ) as client,
    ):
        begun = time.monotonic()
        client.sendall(last)
        assert client.recv(9) == b"HTTP/1.1 "
        with suppress(OSError):
            while True:
                client.sendall(bytes(16_384))
        # The event loop's own limit is 30 s.
        assert time.monotonic() - begun < 20
