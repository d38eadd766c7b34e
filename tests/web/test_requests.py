"""The server answers every input on a connection with a well-formed response, or closes it."""

import json
import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.harness import Running, running
from tests.web.raw_connections import (
    connected,
    exchanged,
    received_to_the_end,
    received_until,
    statuses,
)

BODY = b'{"actionId":"quest","userId":"ada"}'
SECRET_QUERY = b"access_token=SECRET"

WITH_LENGTH = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


def post(*headers: bytes, body: bytes = WITH_LENGTH) -> bytes:
    fields = (b"Content-Type: application/json", *headers)
    return (
        b"POST /api/scores HTTP/1.1\r\nHost: test\r\n"
        + b"".join(b"%b\r\n" % field for field in fields)
        + body
    )


def bearer(server: Running, user_id: str = "ada") -> bytes:
    return b"Authorization: Bearer " + server.token(user_id).encode()


def in_chunks(*trailers: bytes) -> bytes:
    trailer = b"".join(b"%b\r\n" % trailer for trailer in trailers)
    return b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (len(BODY), BODY, trailer)


CLOSE = b"Connection: close"


def test_a_token_in_a_trailer_is_ignored(server: Running) -> None:
    answer = exchanged(server, post(CLOSE, body=in_chunks(bearer(server))))
    assert statuses(answer) == [401]


TRAILERS = [
    b"Authorization: Bearer x",
    b"Content-Type: text/plain",
    b"Idempotency-Key: \xff",
    b"Expect: 100-continue",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Host: elsewhere\r\nX-Forwarded-For: 192.0.2.1",
]


@pytest.mark.parametrize("trailer", TRAILERS)
def test_trailers_are_ignored(server: Running, trailer: bytes) -> None:
    data = post(bearer(server), body=in_chunks(trailer)) + post(CLOSE, bearer(server))
    assert statuses(exchanged(server, data)) == [201, 201]


def test_the_connection_ends_after_a_trailer_that_closes_it(server: Running) -> None:
    data = post(bearer(server), body=in_chunks(b"Connection: close")) + post(bearer(server))
    assert statuses(exchanged(server, data)) == [201]
    nowhere = b"POST /nowhere HTTP/1.1\r\nHost: test\r\n" + in_chunks(b"Connection: close")
    assert statuses(exchanged(server, nowhere)) == [404]


@pytest.mark.parametrize(
    "trailer", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"]
)
def test_a_trailer_with_framing_fields_is_refused(server: Running, trailer: bytes) -> None:
    """RFC 9110, section 6.5.1."""
    assert statuses(exchanged(server, post(bearer(server), body=in_chunks(trailer)))) == [400]


def test_a_trailer_does_not_affect_the_next_request(server: Running) -> None:
    first = post(bearer(server), body=in_chunks(bearer(server)))
    assert statuses(exchanged(server, first + post(CLOSE))) == [201, 401]


UPGRADES = [
    (
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
    ),
    (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13"),
    (b"connection: keep-alive, UPGRADE", b"UPGRADE: TLS/1.2, foo"),
]


@pytest.mark.parametrize("upgrade", UPGRADES, ids=["h2c", "websocket", "other"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize("slices", [1, 7, 10_000])
def test_an_upgrade_is_ignored_with_a_body(
    server: Running, upgrade: tuple[bytes, ...], is_chunked: bool, slices: int
) -> None:
    framing = {"body": in_chunks()} if is_chunked else {}
    data = post(*upgrade, bearer(server), **framing) + post(CLOSE, bearer(server))
    with connected(server) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = -(-len(data) // min(slices, len(data)))
        for begin in range(0, len(data), size):
            client.sendall(data[begin : begin + size])
        assert statuses(received_to_the_end(client)) == [201, 201]


def test_an_upgrade_is_ignored_on_the_last_request_of_a_connection(server: Running) -> None:
    last = (b"Connection: close, Upgrade", b"Upgrade: h2c", bearer(server))
    assert statuses(exchanged(server, post(*last))) == [201]
    assert statuses(exchanged(server, post(*last, body=in_chunks()))) == [201]
    assert statuses(exchanged(server, post(*last).replace(b"HTTP/1.1", b"HTTP/1.0"))) == [201]


def test_an_upgrade_may_have_a_large_header(server: Running) -> None:
    large = (*UPGRADES[0], b"Cookie: " + b"x" * 25_000, bearer(server))
    assert statuses(exchanged(server, post(*large) + post(CLOSE, bearer(server)))) == [201, 201]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT", "PURGE"])
@pytest.mark.parametrize("upgrade", UPGRADES, ids=["h2c", "websocket", "other"])
def test_an_upgrade_is_ignored_for_every_method(
    server: Running, upgrade: tuple[bytes, ...], method: str
) -> None:
    ask = b"%b /api/leaderboard HTTP/1.1\r\nHost: test\r\n" % method.encode()
    without = exchanged(server, ask + b"Connection: close\r\n\r\n")
    answer = exchanged(server, ask + b"\r\n".join(upgrade) + b"\r\n\r\n" + ask + b"Connection: close\r\n\r\n")
    assert statuses(answer) == statuses(without) * 2


def asking(target: bytes, method: bytes = b"GET") -> bytes:
    return b"%b %b HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n" % (method, target)


@pytest.mark.parametrize(
    "target",
    [
        b"http://test/api/leaderboard?limit=1",
        b"HTTPS://test:8000/api/leaderboard?limit=1",
        b"http://[::1]:80/api/leaderboard?limit=1#there",
        b"/api/leaderboard?limit=1",
        b"/api/leaderboard?limit=1#there",
    ],
)
def test_a_target_may_be_absolute(server: Running, target: bytes) -> None:
    """RFC 9112, section 3.2.2."""
    head, _, body = exchanged(server, asking(target)).partition(b"\r\n\r\n")
    assert statuses(head) == [200]
    assert json.loads(body)["board"] == "main"


@pytest.mark.parametrize(
    "host",
    [b"localhost", b"a_b.example:8000", b"127.0.0.1:", b"[::1]:80", b"[fe80::1%25eth0]", b"x%41", b"x."],
)
def test_a_valid_host_is_accepted(server: Running, host: bytes) -> None:
    asked = asking(b"/api/leaderboard").replace(b"Host: test", b"host:\t" + host)
    assert statuses(exchanged(server, asked)) == [200]


def test_a_request_of_http_1_0_needs_no_host(server: Running) -> None:
    """RFC 9112, section 3.2."""
    assert statuses(exchanged(server, b"GET /health/live HTTP/1.0\r\n\r\n")) == [200]


def test_an_absolute_target_without_a_path_is_the_page(server: Running) -> None:
    page = exchanged(server, asking(b"/")).partition(b"\r\n\r\n")[2]
    assert page
    assert exchanged(server, asking(b"http://test")).endswith(page)


IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"

BAD = {
    "connect": (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "connect with a host": (b"CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n\x16\x03\x01", 501),
    "connect to a path": (b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    "connect in HTTP/1.0": (b"CONNECT x:1 HTTP/1.0\r\n\r\n", 501),
    "an invalid port": (asking(b"http://a:99999999/?" + SECRET_QUERY), 400),
    "a port of letters": (asking(b"http://a:b/?" + SECRET_QUERY), 400),
    "a user in a URL": (asking(b"http://u:p@a/?" + SECRET_QUERY), 400),
    "another scheme": (asking(b"ftp://a/?" + SECRET_QUERY), 400),
    "no host": (asking(b"http:///?" + SECRET_QUERY), 400),
    "an authority": (asking(b"test:443"), 400),
    "a star": (asking(b"*"), 404),
    "a star with options": (asking(b"*", b"OPTIONS"), 404),
    "stars": (asking(b"*/?" + SECRET_QUERY), 400),
    "only a query": (asking(b"?" + SECRET_QUERY), 400),
    "only a fragment": (asking(b"#x"), 400),
    "a relative path": (asking(b"api/leaderboard?" + SECRET_QUERY), 400),
    "an empty target": (b"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no target": (b"GET HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "bytes that are not ASCII": (asking("/ä?".encode() + SECRET_QUERY), 400),
    "bytes that are not ASCII in a query": (asking(b"/?\xff\xfe&" + SECRET_QUERY), 400),
    "a null": (asking(b"/\x00?" + SECRET_QUERY), 400),
    "HTTP/0.9": (b"GET /?" + SECRET_QUERY + b"\r\n\r\n", 505),
    "HTTP/2 by version": (b"GET / HTTP/2.0\r\n\r\n", 505),
    "HTTP/2 by preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400),
    "HTTP/3": (b"GET / HTTP/3\r\n\r\n", 400),
    "an unknown method": (b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(200), 400),
    "not HTTP": (b"\xff" * 100 + b"\r\n\r\n", 400),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" + IN_CHUNKS + b"0\r\n\r\n",
        400,
    ),
    "a negative length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    "an endless length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 100 + b"\r\n\r\n", 400),
    "LF line ends": (b"GET / HTTP/1.1\n\n", 400),
    "no Host": (b"GET /?" + SECRET_QUERY + b" HTTP/1.1\r\n\r\n", 400),
    "no Host for an absolute target": (b"GET http://test/ HTTP/1.1\r\n\r\n", 400),
    "no Host with an upgrade": (b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", 400),
    "an empty Host": (b"GET / HTTP/1.1\r\nHost: \r\n\r\n", 400),
    "a Host that is only a port": (b"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400),
    "a Host with a path": (b"GET / HTTP/1.1\r\nHost: test/x\r\n\r\n", 400),
    "a Host with a user": (b"GET / HTTP/1.1\r\nHost: u@test\r\n\r\n", 400),
    "a Host with two ports": (b"GET / HTTP/1.1\r\nHost: test:80:80\r\n\r\n", 400),
    "two hosts in Host": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "a Host that is not ASCII": (b"GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", 400),
    "an invalid Host in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400),
    "the same Host twice": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "two Hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "a space in a name": (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
    "a null in a header": (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00" + SECRET_QUERY + b"\r\n\r\n", 400),
    "an invalid chunk size": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + IN_CHUNKS + b"x\r\n", None),
    "an endless chunk size": (b"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + IN_CHUNKS + b"0" * 300_000, None),
    "too many fields": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * 1_000 + b"\r\n", 431),
    "a target too long": (asking(b"/" + b"x" * 40_000), 431),
}


@pytest.mark.parametrize(("data", "status"), list(BAD.values()), ids=list(BAD))
def test_a_malformed_request_gets_one_response_and_a_log_line_without_its_content(
    server: Running, data: bytes, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    with capture_logs() as told:
        answer = exchanged(server, data)
    assert statuses(answer) == [status] or (status is None and len(statuses(answer)) <= 1)
    assert not answer or b"x-content-type-options: nosniff" in answer
    assert len(told) <= 1
    assert "SECRET" not in str(told)
    # Loggers of asyncio and uvicorn.
    assert caplog.messages == []


def test_many_malformed_requests_are_one_log_line(tmp_path: Path) -> None:
    with running(tmp_path) as server, capture_logs() as told:
        for data, _ in BAD.values():
            if len(data) < 10_000:
                exchanged(server, data)
    assert [line for line in told if line["event"] == "refused bad requests"] == told[:1]
    assert [line["log_level"] for line in told[1:] if line["event"] != "stopping"] == []


@pytest.mark.parametrize("zeros", [10, 5_000, 30_000])
def test_a_content_length_may_have_leading_zeros(server: Running, zeros: int) -> None:
    """RFC 9110, section 8.6: one or more digits."""
    body = b"Content-Length: %b%d\r\n\r\n%b" % (b"0" * zeros, len(BODY), BODY)
    assert statuses(exchanged(server, post(CLOSE, bearer(server), body=body))) == [201]


GET = b"GET /api/leaderboard HTTP/1.1\r\nHost: test\r\n\r\n"


def test_requests_before_a_malformed_one_get_responses(server: Running) -> None:
    good = post(bearer(server))
    broken = post(bearer(server), body=IN_CHUNKS + b"x\r\n")
    many = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * 1_000
    for bad, status in (
        (b"nonsense\r\n\r\n", 400),
        (broken, 400),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (many, 431),
    ):
        assert statuses(exchanged(server, good + GET + bad)) == [201, 200, status]


def test_requests_after_the_last_one_of_a_connection_are_ignored(server: Running) -> None:
    ends = b"GET /api/leaderboard HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    assert statuses(exchanged(server, GET + ends + GET)) == [200, 200]
    assert statuses(exchanged(server, GET + ends + b"nonsense")) == [200, 200]
    assert statuses(exchanged(server, GET.replace(b"HTTP/1.1", b"HTTP/1.0") + GET)) == [200]


def test_pipelined_requests_get_responses_in_order(server: Running) -> None:
    count = 3_000
    asked = b"".join(
        b"GET /no/%d HTTP/1.1\r\nHost: x\r\nX-Request-Id: %d\r\n\r\n" % (n, n) for n in range(count)
    )
    with connected(server) as client:
        client.sendall(asked)
        received = b""
        while received.count(b"HTTP/1.1 404") < count:
            received += received_until(client, b"\r\n\r\n")
        assert statuses(received) == [404] * count


def test_all_pipelined_scores_count(server: Running) -> None:
    before = server.board()["version"]
    with connected(server) as client:
        client.sendall(post(bearer(server)) * 100 + post(CLOSE, bearer(server)))
        assert statuses(received_to_the_end(client)) == [201] * 101
    assert server.board()["version"] == before + 101
