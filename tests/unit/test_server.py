"""What `server` and `web.detached` take for granted of uvicorn and the loops. An upgrade that breaks it says so."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from scoreboard import server
from scoreboard.server import limits
from scoreboard.server.protocol import HttpProtocol
from scoreboard.server.refusal import RefusalLog
from tests import virtual_time
from tests.limits import LIMIT_SECONDS

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
BALANCER_SECONDS = 60.0
"""How long nginx and AWS's ALB keep an idle connection to an instance, unless they are told otherwise."""

ASK = b"GET /there HTTP/1.%d\r\nHost: test\r\n\r\n"


class Transport(asyncio.Transport):
    """Notes what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 2)})
        self.written = b""
        self.waiting_bytes = 0
        self.is_closed = False
        self.has_ended = False
        self.reads = True

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting_bytes

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


def ours(config: uvicorn.Config, state: ServerState) -> HttpProtocol:
    return HttpProtocol(config, state, memoryview(bytearray(limits.READ_BYTES)), RefusalLog(lambda: 0.0))


def uvicorns(config: uvicorn.Config, state: ServerState) -> HttpToolsProtocol:
    return HttpToolsProtocol(config, state, {})


class Asked:
    """A protocol of uvicorn's that was asked something, and waits in the application."""

    def __init__(
        self,
        more: bytes = b"",
        minor_version: int = 1,
        protocol: Callable[[uvicorn.Config, ServerState], HttpToolsProtocol] = uvicorns,
    ) -> None:
        self.scope: Scope = {}
        self.sends: Send | None = None
        self.go_on = asyncio.Event()
        self.state = ServerState()
        config = uvicorn.Config(
            self._application, interface="asgi3", ws="none", lifespan="off", log_config=None, access_log=False
        )
        self.protocol = protocol(config, self.state)
        self.transport = Transport()
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(ASK % minor_version)
        self.cycle = self.protocol.cycle
        if more:
            self.protocol.data_received(more)

    async def _application(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scope = scope
        self.sends = send
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.go_on.wait()

    async def until_it_waits(self) -> "Asked":
        await asyncio.sleep(0)
        assert self.sends is not None
        return self


async def test_a_connection_that_is_given_up_with_a_reason_stays_open_and_is_forgotten() -> None:
    asked = await Asked().until_it_waits()
    assert asked.protocol in asked.state.connections
    asked.protocol.connection_lost(Exception("detached"))
    assert asked.protocol not in asked.state.connections
    assert not asked.transport.is_closed


async def test_a_response_that_goes_on_elsewhere_ends_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("WARNING")
    asked = await Asked().until_it_waits()
    asked.protocol.connection_lost(Exception("detached"))
    asked.cycle.disconnected = True
    written = asked.transport.written
    await cast(Send, asked.sends)({"type": "http.response.body", "body": b"late", "more_body": True})
    asked.go_on.set()
    await asyncio.gather(*asked.state.tasks)
    assert (asked.transport.written, asked.transport.is_closed, caplog.messages) == (written, False, [])


async def test_headers_are_written_at_once_and_say_that_chunks_follow() -> None:
    asked = await Asked().until_it_waits()
    assert asked.transport.written.endswith(b"transfer-encoding: chunked\r\n\r\n")


async def test_a_response_can_be_told_to_go_without_chunks_and_without_a_length() -> None:
    asked = Asked(minor_version=0)
    asked.cycle.chunked_encoding = False
    asked.cycle.expected_content_length = 2**62
    await asked.until_it_waits()
    await cast(Send, asked.sends)({"type": "http.response.body", "body": b"plain", "more_body": True})
    head, _, body = asked.transport.written.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"plain"


async def test_a_request_that_came_with_another_waits_and_stops_the_reading() -> None:
    asked = await Asked(more=ASK % 1).until_it_waits()
    assert asked.protocol.cycle is not asked.cycle
    assert len(asked.protocol.pipeline) == 1
    assert not asked.transport.reads
    asked.protocol.flow.resume_reading()
    assert asked.transport.reads


async def test_what_is_put_into_the_scope_once_the_header_is_there_reaches_the_application() -> None:
    asked = Asked()
    asked.protocol.scope["extensions"] = {"ours": {}}
    await asked.until_it_waits()
    assert asked.scope["extensions"] == {"ours": {}}


END: Any = {"type": "http.response.body", "body": b""}


async def test_a_bad_request_is_refused_after_the_answer_to_the_one_before_it() -> None:
    asked = await Asked(protocol=ours).until_it_waits()
    protocol = cast(HttpProtocol, asked.protocol)
    protocol.data_received(b"GET /next HTTP/1.1\r\nCookie: " + b"x" * 1_000)
    protocol.refuse_if_slow(float("inf"))
    before = asked.transport.written
    protocol.data_received(b"x" * (limits.MOST_HEADER_BYTES + limits.SLICE_BYTES))
    assert (asked.transport.written, asked.transport.reads, asked.transport.has_ended) == (
        before,
        False,
        False,
    )
    await cast(Send, asked.sends)(END)
    head, _, refusal = asked.transport.written.removeprefix(before).partition(b"HTTP/1.1 ")
    assert (head, refusal[:4], asked.transport.has_ended) == (b"0\r\n\r\n", b"431 ", True)
    asked.go_on.set()
    await asyncio.gather(*asked.state.tasks)


async def test_a_client_that_has_gone_before_it_is_refused_makes_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found by `python -m tools.fuzz`: asyncio cannot end the sending on a connection that was reset."""
    asked = await Asked(protocol=ours, more=b"nonsense\r\n\r\n").until_it_waits()

    def fails() -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(asked.transport, "write_eof", fails)
    await cast(Send, asked.sends)(END)
    assert b"HTTP/1.1 400 " in asked.transport.written
    asked.go_on.set()
    await asyncio.gather(*asked.state.tasks)


async def test_empty_lines_keep_no_connection_open() -> None:
    asked = await Asked(protocol=ours).until_it_waits()
    protocol = cast(HttpProtocol, asked.protocol)
    await cast(Send, asked.sends)(END)
    protocol.data_received(b"\r\n")
    now = asyncio.get_running_loop().time()
    protocol.refuse_if_slow(now + limits.ASKING_SECONDS - 1)
    before = asked.transport.is_closed
    protocol.data_received(b"\r\n")
    protocol.refuse_if_slow(now + limits.ASKING_SECONDS + 1)
    assert (before, asked.transport.is_closed) == (False, True)
    asked.go_on.set()
    await asyncio.gather(*asked.state.tasks)


SEND = b"POST /next HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n"


async def test_a_body_has_its_time_from_when_it_is_read() -> None:
    asked = await Asked(more=SEND + b"x", protocol=ours).until_it_waits()
    protocol = cast(HttpProtocol, asked.protocol)
    begun = protocol.sending_since
    assert begun is not None
    # The request before is still being answered.
    protocol.refuse_if_slow(begun + 100)
    assert (protocol.sending_since, asked.transport.is_closed) == (begun + 100, False)
    protocol.pipeline.clear()
    protocol.refuse_if_slow(begun + 100 + limits.BODY_SECONDS - 1)
    assert not asked.transport.is_closed
    protocol.data_received(b"y")
    protocol.refuse_if_slow(float("inf"))
    assert not asked.transport.is_closed


async def test_whoever_takes_something_of_an_answer_now_and_then_is_waited_for() -> None:
    asked = await Asked(protocol=ours).until_it_waits()
    protocol = cast(HttpProtocol, asked.protocol)
    now = asyncio.get_running_loop().time()
    for waiting in (500, 400, 900, 899, 0, 700, 650):
        asked.transport.waiting_bytes = waiting
        now += limits.TAKING_SECONDS - 1
        protocol.refuse_if_slow(now)
    protocol.refuse_if_slow(now + limits.TAKING_SECONDS - 1)
    assert not asked.transport.is_closed
    protocol.refuse_if_slow(now + limits.TAKING_SECONDS)
    assert asked.transport.is_closed


async def test_a_stream_is_not_ended_by_the_limit_of_answers() -> None:
    asked = await Asked(protocol=ours).until_it_waits()
    protocol = cast(HttpProtocol, asked.protocol)
    protocol.is_streaming = True
    asked.transport.waiting_bytes = 1
    protocol.refuse_if_slow(asyncio.get_running_loop().time() + 2 * limits.TAKING_SECONDS)
    assert not asked.transport.is_closed


class Noting(asyncio.Protocol):
    """What a loop tells a protocol."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.lost: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.descriptor = -1

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        # Raises where the descriptor is closed already.
        os.fstat(self.descriptor)
        self.lost.set_result(True)


def on(
    loop: Callable[[], asyncio.AbstractEventLoop], scenario: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


async def connected() -> tuple[asyncio.Transport, Noting, socket.socket]:
    """A transport whose kernel takes little, its protocol, and the socket at the other end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    theirs.settimeout(LIMIT_SECONDS)
    transport, protocol = await asyncio.get_running_loop().create_connection(Noting, sock=ours)
    protocol.descriptor = transport.get_extra_info("socket").fileno()
    return transport, protocol, theirs


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("end", ["close", "abort", "peer"])
def test_a_lost_connection_is_told_before_its_descriptor_is_somebody_elses(
    loop: Callable[[], asyncio.AbstractEventLoop], end: str
) -> None:
    async def scenario() -> None:
        transport, protocol, theirs = await connected()
        if end == "peer":
            theirs.close()
        else:
            getattr(transport, end)()
        async with asyncio.timeout(LIMIT_SECONDS):
            assert await protocol.lost
        theirs.close()

    on(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_first_byte_that_waits_pauses_and_the_last_one_that_goes_resumes(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scenario() -> None:
        transport, protocol, theirs = await connected()
        transport.set_write_buffer_limits(high=0)
        assert transport.get_write_buffer_size() == 0
        transport.write(b"x" * 1_000_000)
        assert protocol.told == ["pause"]
        assert transport.get_write_buffer_size() > 0
        taken = 0
        while protocol.told != ["pause", "resume"]:
            taken += len(await asyncio.to_thread(theirs.recv, 65_536))
        assert transport.get_write_buffer_size() == 0
        # Nothing of it is left behind, and what is written past the transport comes after it.
        os.write(protocol.descriptor, b"y")
        while taken < 1_000_001:
            data = await asyncio.to_thread(theirs.recv, 65_536)
            taken += len(data)
        assert data.endswith(b"y")
        transport.abort()
        await protocol.lost
        theirs.close()

    on(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_small_writes_are_sent_at_once(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Both loops set TCP_NODELAY on connections that they accept. An event must not wait for the last one's receipt."""

    async def scenario() -> None:
        accepted: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

        class Accepting(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted.set_result(transport)

        listening = await asyncio.get_running_loop().create_server(Accepting, "127.0.0.1", 0)
        with socket.create_connection(listening.sockets[0].getsockname(), LIMIT_SECONDS):
            transport = await accepted
            assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.close()
        listening.close()

    on(loop, scenario)


def test_a_balancer_ends_an_idle_connection_before_the_server_does() -> None:
    """Else a POST may meet the end of the connection that it is sent on, and no balancer sends a POST twice."""

    async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def drain(_polite: bool) -> None: ...

    async def scenario() -> None:
        http_server = server.make_server(answers, drain, lambda: None)
        protocol = ours(http_server.config, ServerState())
        transport = Transport()
        protocol.connection_made(transport)
        protocol.data_received(ASK % 1)
        await asyncio.sleep(BALANCER_SECONDS + 1)
        assert b"204" in transport.written
        assert not transport.is_closed
        await asyncio.sleep(BALANCER_SECONDS)
        assert transport.is_closed

    virtual_time.run(scenario())
