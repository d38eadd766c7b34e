"""Parsing the address of a server, as given on the command line."""

from dataclasses import dataclass
from http.client import HTTPConnection, InvalidURL
from urllib.parse import quote, urlsplit

from scoreboard.domain.errors import StartError
from scoreboard.domain.plain_text import printable
from scoreboard.settings.hosts import host_and_port


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """The address of a server. The path has no trailing slash."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        return host_and_port(self.host, self.port)


def server_url(url: str) -> ServerUrl:
    """Parse an address. Raises StartError if it is not exactly one valid address."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        if parts.scheme not in {"http", "https"} or not host or port == 0 or "@" in parts.netloc:
            raise ValueError(url)
        HTTPConnection(host, port)  # Raises an error for an invalid host.
    except (ValueError, InvalidURL) as error:
        raise StartError(
            f"“{printable(url)}” is no address of a scoreboard, such as http://127.0.0.1:8000."
        ) from error
    if parts.query or parts.fragment:
        raise StartError(f"“{printable(url)}” is more than an address: end it before “?” or “#”.")
    is_tls = parts.scheme == "https"
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    return ServerUrl(is_tls, host, port or (443 if is_tls else 80), path)
