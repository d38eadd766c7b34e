"""Connections for bytes that no HTTP client sends, and for clients that do not read."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.harness import Running
from tests.limits import LIMIT_SECONDS


@contextmanager
def connected(server: Running, receive_buffer_bytes: int | None = None) -> Iterator[socket.socket]:
    """Open a TCP connection. With a small buffer, the kernel receives little that is not read."""
    where = urlsplit(server.url)
    with socket.socket() as client:
        client.settimeout(LIMIT_SECONDS)
        if receive_buffer_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        client.connect((where.hostname, where.port))
        yield client


def received_to_the_end(client: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65_536):
            received += data
    return received


def received_until(client: socket.socket, awaited: bytes) -> bytes:
    received = b""
    while awaited not in received:
        data = client.recv(65_536)
        assert data, f"the connection has ended after {received!r}"
        received += data
    return received


def exchanged(server: Running, *parts: bytes) -> bytes:
    """Send bytes, and return everything that is answered until the connection ends."""
    with connected(server) as client:
        for part in parts:
            client.sendall(part)
        return received_to_the_end(client)


def statuses(received: bytes) -> list[int]:
    """Return the status of each response."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
