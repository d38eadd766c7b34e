"""Behaviour of asyncio's and uvloop's transports that `web.streaming.socket_subscriber` relies on."""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from tests.limits import LIMIT_SECONDS

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Recording(asyncio.Protocol):
    """Records the calls of the loop."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.lost: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.descriptor = -1

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        # Raises OSError if the descriptor is closed.
        os.fstat(self.descriptor)
        self.lost.set_result(True)


def on(
    loop: Callable[[], asyncio.AbstractEventLoop], scenario: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


async def connected() -> tuple[asyncio.Transport, Recording, socket.socket]:
    """Return a transport with a small kernel buffer, its protocol, and the socket at the other end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    theirs.settimeout(LIMIT_SECONDS)
    transport, protocol = await asyncio.get_running_loop().create_connection(Recording, sock=ours)
    protocol.descriptor = transport.get_extra_info("socket").fileno()
    return transport, protocol, theirs


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("end", ["close", "abort", "peer"])
def test_connection_lost_is_called_before_the_descriptor_is_closed(
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
def test_the_first_unsent_byte_pauses_writing_and_the_last_one_that_is_sent_resumes_it(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scenario() -> None:
        transport, protocol, theirs = await connected()
        transport.set_write_buffer_limits(high=0)
        assert transport.get_write_buffer_size() == 0
        transport.write(b"x" * 1_000_000)
        assert protocol.calls == ["pause"]
        assert transport.get_write_buffer_size() > 0
        received = 0
        while protocol.calls != ["pause", "resume"]:
            received += len(await asyncio.to_thread(theirs.recv, 65_536))
        assert transport.get_write_buffer_size() == 0
        # The buffer is empty: bytes that are written to the descriptor arrive after it.
        os.write(protocol.descriptor, b"y")
        while received < 1_000_001:
            data = await asyncio.to_thread(theirs.recv, 65_536)
            received += len(data)
        assert data.endswith(b"y")
        transport.abort()
        await protocol.lost
        theirs.close()

    on(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_small_writes_are_sent_at_once(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Both loops set TCP_NODELAY on accepted connections: an event must not wait for the client's ACK."""

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
