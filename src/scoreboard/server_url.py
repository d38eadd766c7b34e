"""The address of a scoreboard, as a person gives it to a command."""

from dataclasses import dataclass
from http.client import HTTPConnection, InvalidURL
from urllib.parse import quote, urlsplit

from scoreboard.errors import StartError
from scoreboard.hosts import host_and_port
from scoreboard.text import shown


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """Where a server is. The path has no slash at its end."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        return host_and_port(self.host, self.port)


def server_url(url: str) -> ServerUrl:
    """Parse an address. Raises StartError where it is none, or more than one."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        if parts.scheme not in {"http", "https"} or not host or port == 0 or "@" in parts.netloc:
            raise ValueError(url)
        HTTPConnection(host, port)  # It refuses odd hosts.
    except (ValueError, InvalidURL) as error:
        raise StartError(f"“{shown(url)}” is no address of a scoreboard, such as http://127.0.0.1:8000.") from error
    if parts.query or parts.fragment:
        raise StartError(f"“{shown(url)}” is more than an address: end it before “?” or “#”.")
    is_tls = parts.scheme == "https"
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    return ServerUrl(is_tls, host, port or (443 if is_tls else 80), path)
