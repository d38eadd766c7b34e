"""The transports of a stream: a detached connection, plain ASGI, and TLS. Streams are the same on each."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from scoreboard.fanout.subscriber import Subscriber
from scoreboard.web.streaming.asgi_subscriber import AsgiSubscriber
from scoreboard.web.streaming.socket_subscriber import SocketSubscriber
from tests.clocks import HeldClock
from tests.harness import LoopFactory, Running, running
from tests.web.raw_connections import connected

ASK: Final = b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: test\r\n\r\n"


@dataclass(frozen=True)
class Transport:
    """How a stream is sent to its client."""

    subscriber: type[Subscriber]
    loop: LoopFactory = asyncio.new_event_loop
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
def asked(scoreboard: Running, ask: bytes = ASK) -> Iterator[socket.socket]:
    """Open a connection, by TLS if the server has it, and send `ask`."""
    with connected(scoreboard) as plain:
        client = plain
        if scoreboard.settings.tls_certificate is not None:
            context = ssl.create_default_context(cafile=str(scoreboard.settings.tls_certificate))
            client = context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=True)
        with client:
            client.sendall(ask)
            yield client


def unchunked(body: bytes) -> bytes:
    """Decode chunks (RFC 9112, section 7.1). The last one may be incomplete."""
    text = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        text += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return text


def only(*kinds: str) -> pytest.MarkDecorator:
    """Run a test over some kinds of transport, each on both event loops."""
    names = [name for name in TRANSPORTS if name.partition("-")[0] in kinds]
    return pytest.mark.parametrize(
        "transport", [TRANSPORTS[name] for name in names], ids=names, indirect=True
    )
