"""Listening sockets, and the URLs at which browsers reach them."""

import errno
import ipaddress
import socket
from typing import Final

from scoreboard.domain.errors import StartError
from scoreboard.settings.hosts import host_and_port

BACKLOG: Final = 4_096
"""Connections that wait to be accepted: after a restart, all browsers reconnect at once."""


def bind(host: str, port: int, setting: str = "SCOREBOARD_") -> socket.socket:
    """Return a listening socket. Raises StartError if the address cannot be used.

    `setting` is the prefix of the two settings to name in the error.
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
            raise StartError(f"{where} is in use: stop the other program, or set {setting}PORT.") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"{where} cannot be used ({reason}): set {setting}HOST or {setting}PORT.") from error
    return listening


def url_of(listening: socket.socket, *, is_tls: bool = False) -> str:
    """Return the URL at which a browser on this machine reaches the server."""
    host, port = listening.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"{'https' if is_tls else 'http'}://{host_and_port(host, port)}"
