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
        """Remove the connection from the server, after the response has started. The caller then owns the
        transport.

        Return None if the transport is closing, or if TLS ends in this process. The response then continues
        over ASGI.
        """
