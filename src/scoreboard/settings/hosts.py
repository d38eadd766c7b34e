"""Parsing and formatting of hosts and ports."""

import re
from ipaddress import ip_address
from typing import Final

_HOST_AND_PORT: Final = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+(%[^\s\[\]]+)?\]|[^\s:\[\]]+)(:(?P<port>.*))?", re.DOTALL
)


def is_this_machine(host: str) -> bool:
    """Return True for a loopback host, which no other machine can reach or overhear."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_and_port(host: str, port: int) -> str:
    """Format host and port for a URL, an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """Parse `name`, `name:port` or `[::1]:port`. Raises ValueError."""
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None:
        raise ValueError("must have a host and port, as db.example:5432 or [::1]:5432")
    return found["host"].strip("[]"), default_port if found["port"] is None else parse_port(found["port"])


def parse_port(text: str) -> int:
    """Return the port of a text. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise ValueError("must have a port from 1 to 65535")
    return int(text)
