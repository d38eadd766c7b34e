"""The socket that a server listens on, and where a browser finds it."""

import errno
import ipaddress
import socket
from typing import Final

from scoreboard.domain.errors import StartError
from scoreboard.settings.hosts import host_and_port

BACKLOG: Final = 4_096
"""Connections that wait to be taken: browsers come back all at once after a restart."""


def bind(host: str, port: int, setting: str = "SCOREBOARD_") -> socket.socket:
    """A listening socket. Raises StartError, with what to do, where the address cannot be had.

    `setting` is what the names of the two settings begin with.
    """
    listening = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, proto)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        if listening is not None:
            listening.close()
        where = host_and_port(host, port)
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise StartError(f"{where} is taken: stop what listens there, or set {setting}PORT.") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"{where} cannot be used ({reason}): set {setting}HOST or {setting}PORT.") from error
    return listening


def url_of(listening: socket.socket, *, is_tls: bool = False) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listening.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"{'https' if is_tls else 'http'}://{host_and_port(host, port)}"
