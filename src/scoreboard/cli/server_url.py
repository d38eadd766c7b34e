"""Parsing the address of a server, as given on the command line."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx2

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

    def __str__(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://{self.authority}{self.path}"


def server_url(url: str) -> ServerUrl:
    """Parse an address. Raises StartError if it is not exactly one valid address."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        is_tls = parts.scheme == "https"
        path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        found = ServerUrl(is_tls, host, port or (443 if is_tls else 80), path)
        is_valid = parts.scheme in {"http", "https"} and port != 0 and "@" not in parts.netloc
        if not is_valid or not host or not host.isprintable() or " " in host:
            raise ValueError(url)
        httpx2.URL(str(found))
    except (ValueError, httpx2.InvalidURL) as error:
        raise StartError(
            f"“{printable(url)}” is not the address of a scoreboard, such as http://127.0.0.1:8000."
        ) from error
    if parts.query or parts.fragment:
        raise StartError(f"“{printable(url)}” is more than an address: remove the part from “?” or “#”.")
    return found
