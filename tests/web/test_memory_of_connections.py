"""Memory of the server per connection, at every stage of a request, for a client that sends without end."""

import gc
import select
import socket
import tracemalloc
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.harness import LoopFactory, Running, running
from tests.limits import LIMIT_SECONDS
from tests.web.raw_connections import connected

CONNECTIONS = 8
SENT_BYTES = 700_000
"""Bytes that each connection sends, unless the server stops reading or closes it."""

UNREAD_SECONDS = 0.25
"""A client stops when its socket is full for this time. On a slow machine, the test may find less."""

KEPT_BYTES = 250_000
"""Memory that the server may use per connection. Pipelined requests use by far the most."""

IN_CHUNKS = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
SCORE = (
    b"POST /api/scores HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/json\r\nAuthorization: Bearer TOKEN\r\n"
)


@dataclass(frozen=True)
class Stage:
    """The bytes that a client sends once, and those that it then repeats."""

    start: bytes
    more: bytes
    most: int = SENT_BYTES


STAGES = {
    "before a request": Stage(b"", b"\r\n" * 500),
    "between two requests": Stage(GET, b"\r\n" * 500),
    "method": Stage(b"", b"G" * 1_000),
    "target": Stage(b"GET /", b"x" * 1_000),
    "version": Stage(b"GET / HTTP/1.", b"1" * 1_000),
    "name of a field": Stage(b"GET / HTTP/1.1\r\nHost: x\r\n", b"x" * 1_000),
    "value of a field": Stage(b"GET / HTTP/1.1\r\nHost: x\r\na: ", b"x" * 1_000),
    "empty fields": Stage(b"GET / HTTP/1.1\r\nHost: x\r\n", b"a:\r\n" * 250),
    "different fields": Stage(
        b"GET / HTTP/1.1\r\nHost: x\r\n", b"".join(b"%03d:%03d\r\n" % (n, n) for n in range(500))
    ),
    "header of a second request": Stage(GET + b"GET / HTTP/1.1\r\nHost: x\r\n", b"a:\r\n" * 250),
    "body that nothing reads": Stage(
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", b"x" * 1_000
    ),
    "body that is read": Stage(SCORE + b"Content-Length: 16384\r\n\r\n", b" " * 1_000),
    "body in chunks that is read": Stage(SCORE + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 150),
    "body without a token": Stage(
        b"POST /api/scores HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", b"x" * 1_000
    ),
    "body of a stream": Stage(
        b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", b"x" * 1_000
    ),
    "small chunks": Stage(IN_CHUNKS, b"1\r\nx\r\n" * 200),
    "size of a chunk": Stage(IN_CHUNKS, b"0" * 1_000),
    "extension of a chunk": Stage(IN_CHUNKS + b"1;", b"x" * 1_000),
    "value of an extension": Stage(IN_CHUNKS + b"1;x=", b"x" * 1_000),
    "quoted value of an extension": Stage(IN_CHUNKS + b'1;x="', b"x" * 1_000),
    "extensions of chunks": Stage(IN_CHUNKS, b"1;" + b"x=y;" * 250 + b"\r\nx\r\n"),
    "trailers": Stage(IN_CHUNKS + b"0\r\n", b"a:\r\n" * 250),
    "name of a trailer": Stage(IN_CHUNKS + b"0\r\n", b"x" * 1_000),
    "value of a trailer": Stage(IN_CHUNKS + b"0\r\na: ", b"x" * 1_000),
    "trailers after a body that is read": Stage(
        SCORE + IN_CHUNKS[-32:] + b"1\r\n{\r\n0\r\n", b"a:\r\n" * 250
    ),
    "requests": Stage(b"", GET * 100),
    "requests of the least size": Stage(b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100),
    "requests in one write": Stage(b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 14_000, 252_000),
    "requests with large answers": Stage(b"", b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100),
    "requests with bodies": Stage(
        b"", b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" * 50
    ),
    "requests with Expect: 100-continue": Stage(
        b"", SCORE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "requests with an upgrade": Stage(
        b"", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" * 50
    ),
    "requests after the last": Stage(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", GET * 100),
    "requests after nonsense": Stage(b"nonsense\r\n\r\n", GET * 100),
    "stream": Stage(b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 1_000),
    "requests after a stream": Stage(b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: x\r\n\r\n", GET * 100),
    "stream of HTTP/1.0": Stage(b"GET /api/leaderboard/stream HTTP/1.0\r\n\r\n", b"x" * 1_000),
    "nonsense": Stage(b"", bytes(range(256)) * 4),
    "header that is just not too large": Stage(
        b"GET / HTTP/1.1\r\nHost: x\r\n", b"a:" + b"x" * 120 + b"\r\n", 30_000
    ),
    "value that is just not too large": Stage(b"GET / HTTP/1.1\r\nHost: x\r\na:", b"x" * 1_000, 32_000),
    "trailer that is just not too large": Stage(IN_CHUNKS + b"0\r\na:", b"x" * 1_000, 32_000),
    "body that is just not too large": Stage(SCORE + b"Content-Length: 16384\r\n\r\n", b" " * 1_000, 16_000),
}


def send(clients: Sequence[socket.socket], stage: Stage, token: bytes) -> None:
    """Have each client send as much as the server takes."""
    start, more = (part.replace(b"TOKEN", token) for part in (stage.start, stage.more))
    waiting = dict.fromkeys(clients, start or more)
    counts = dict.fromkeys(clients, 0)
    while waiting and (writable := select.select((), list(waiting), (), UNREAD_SECONDS)[1]):
        for client in writable:
            try:
                taken = client.send(waiting[client], socket.MSG_DONTWAIT)
            except ConnectionError:
                del waiting[client]
                continue
            counts[client] += taken
            waiting[client] = waiting[client][taken:] or more
            if counts[client] >= stage.most:
                del waiting[client]


def test_at_no_stage_does_a_connection_use_much_memory(tmp_path: Path, loop: LoopFactory) -> None:
    with running(tmp_path, loop_factory=loop, rate_limit="1000000/minute") as scoreboard:
        token = scoreboard.token().encode()
        # Warm up: the first connection of each stage makes objects that stay.
        for stage in STAGES.values():
            kept(scoreboard, stage, token, 1)
        tracemalloc.start()
        try:
            found = {name: kept(scoreboard, stage, token, CONNECTIONS) for name, stage in STAGES.items()}
        finally:
            tracemalloc.stop()
        assert {name: size for name, size in found.items() if size > KEPT_BYTES} == {}
        assert scoreboard.client.get("/health/live", timeout=LIMIT_SECONDS).status_code == 200


def kept(scoreboard: Running, stage: Stage, token: bytes, connections: int) -> int:
    """Return the bytes that the process uses per connection."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(connected(scoreboard, receive_buffer_bytes=4_096)) for _ in range(connections)
        ]
        before = settled(scoreboard)
        send(clients, stage, token)
        return (settled(scoreboard) - before) // connections


def settled(scoreboard: Running) -> int:
    """Return the memory in use after the server has answered another request."""
    for _ in range(3):
        scoreboard.client.get("/health/live", timeout=LIMIT_SECONDS)
    gc.collect()
    return tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
