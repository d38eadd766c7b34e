"""Limits of a connection, and the order of answers and refusals."""

import asyncio
import errno
from typing import cast

import pytest
from starlette.types import Receive, Scope, Send

from scoreboard import server
from scoreboard.server import connection_limits as limits
from scoreboard.server.protocol import HttpProtocol
from scoreboard.server.uvicorn_internals import ServerState
from tests.connections import REQUEST, OpenRequest, Transport, http_protocol
from tests.virtual_time import in_virtual_time

BALANCER_SECONDS = 60.0
"""Time for which nginx and AWS's ALB keep an idle connection to an instance by default."""


async def opened(more: bytes = b"") -> tuple[OpenRequest, HttpProtocol]:
    request = await OpenRequest(more, protocol=http_protocol).started()
    return request, cast(HttpProtocol, request.protocol)


async def test_a_bad_request_is_refused_after_the_answer_to_the_one_before_it() -> None:
    request, protocol = await opened()
    transport = request.transport
    protocol.data_received(b"GET /next HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 1_000)
    protocol.refuse_if_slow(float("inf"))
    before = transport.written
    protocol.data_received(b"x" * (limits.MAX_HEADER_BYTES + limits.SLICE_BYTES))
    assert (transport.written, transport.reads, transport.has_ended) == (before, False, False)
    await request.send(b"")
    end, _, refusal = transport.written.removeprefix(before).partition(b"HTTP/1.1 ")
    assert (end, refusal[:4], transport.has_ended) == (b"0\r\n\r\n", b"431 ", True)
    await request.finish()


async def test_a_client_that_disconnects_before_its_refusal_causes_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found by `python -m tools.fuzz`: asyncio's `write_eof` fails on a connection that was reset."""
    request, _ = await opened(more=b"nonsense\r\n\r\n")

    def fail() -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(request.transport, "write_eof", fail)
    await request.send(b"")
    assert b"HTTP/1.1 400 " in request.transport.written
    await request.finish()


async def test_empty_lines_do_not_keep_a_connection_open() -> None:
    request, protocol = await opened()
    await request.send(b"")
    protocol.data_received(b"\r\n")
    now = asyncio.get_running_loop().time()
    protocol.refuse_if_slow(now + limits.HEADER_SECONDS - 1)
    before = request.transport.is_closed
    protocol.data_received(b"\r\n")
    protocol.refuse_if_slow(now + limits.HEADER_SECONDS + 1)
    assert (before, request.transport.is_closed) == (False, True)
    await request.finish()


BODY = b"POST /next HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n"


async def test_the_time_limit_of_a_body_starts_when_earlier_requests_are_answered() -> None:
    request, protocol = await opened(more=BODY + b"x")
    begun = protocol.body_since
    assert begun is not None
    protocol.refuse_if_slow(begun + 100)
    assert (protocol.body_since, request.transport.is_closed) == (begun + 100, False)
    protocol.pipeline.clear()
    protocol.refuse_if_slow(begun + 100 + limits.BODY_SECONDS - 1)
    assert not request.transport.is_closed
    protocol.data_received(b"y")
    protocol.refuse_if_slow(float("inf"))
    assert not request.transport.is_closed


async def test_a_client_that_reads_an_answer_slowly_is_kept_and_one_that_reads_nothing_is_not() -> None:
    request, protocol = await opened()
    now = asyncio.get_running_loop().time()
    for waiting in (500, 400, 900, 899, 0, 700, 650):
        request.transport.waiting_bytes = waiting
        now += limits.UNREAD_SECONDS - 1
        protocol.refuse_if_slow(now)
    protocol.refuse_if_slow(now + limits.UNREAD_SECONDS - 1)
    assert not request.transport.is_closed
    protocol.refuse_if_slow(now + limits.UNREAD_SECONDS)
    assert request.transport.is_closed


async def test_a_stream_is_not_ended_by_the_time_limit_of_answers() -> None:
    request, protocol = await opened()
    protocol.is_streaming = True
    request.transport.waiting_bytes = 1
    protocol.refuse_if_slow(asyncio.get_running_loop().time() + 2 * limits.UNREAD_SECONDS)
    assert not request.transport.is_closed


@in_virtual_time
async def test_a_load_balancer_closes_an_idle_connection_before_the_server_does() -> None:
    """Otherwise a POST may be sent on a closing connection, and no balancer sends a POST twice."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def drain(_polite: bool) -> None: ...

    http_server = server.HttpServer(application, drain, lambda: None)
    protocol = http_protocol(http_server.config, ServerState())
    transport = Transport()
    protocol.connection_made(transport)
    protocol.data_received(REQUEST % 1)
    await asyncio.sleep(BALANCER_SECONDS + 1)
    assert b"204" in transport.written
    assert not transport.is_closed
    await asyncio.sleep(BALANCER_SECONDS)
    assert transport.is_closed
