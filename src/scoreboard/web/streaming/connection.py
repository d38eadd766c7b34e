"""The interface of the HTTP server's connections, as an extension of ASGI for responses that are streams."""

import asyncio
from typing import Final, Protocol

from starlette.types import Send

CONNECTION: Final = "scoreboard.connection"
"""The key of the request's `Connection` in the extensions of its ASGI scope."""


class Connection(Protocol):
    """The connection of one request."""

    @property
    def transport(self) -> asyncio.Transport:
        """The connection's transport."""

    @property
    def send(self) -> Send:
        """The server's own `send`, without middleware: a stream sends thousands of events without headers."""

    def begin_stream(self) -> bool:
        """Prepare a stream before its response starts. Return True for a chunked body (RFC 9112, 7.1)."""

    def detach(self) -> asyncio.Transport | None:
        """Remove the connection from the server, and return the transport, which the caller then owns.

        Call it after the response has started. Return None if the transport is closing, or if TLS ends in
        this process: the response then continues over ASGI.
        """
