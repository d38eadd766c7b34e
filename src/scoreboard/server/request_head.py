"""Parsing request targets and `Host` (RFC 9112, section 3.2), and serializing headers."""

import re
from collections.abc import Sequence
from typing import Final

import httptools

SCHEMES: Final = (b"http", b"https")

_HOST: Final = re.compile(
    rb"(\[[0-9A-Za-z:.~_%-]+\]|([A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(:[0-9]{0,5})?"
)
"""A host and port (RFC 3986, section 3.2). An `http` URL's host is never empty (RFC 9110, section 4.2.1)."""

Headers = Sequence[tuple[bytes, bytes]]


def path_and_query(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a request target.

    Raises ValueError for a target that does not name a resource of an origin server.
    """
    if not target.startswith(b"/") and target != b"*":
        return _of_absolute_form(target)
    if b"#" in target:
        target = target.partition(b"#")[0]
    path, _, query = target.partition(b"?")
    return path, query


def _of_absolute_form(target: bytes) -> tuple[bytes, bytes]:
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserError:
        # The error's message contains the whole target, and the query may contain a token.
        raise ValueError from None
    if (url.schema or b"").lower() not in SCHEMES or not url.host or url.userinfo:
        raise ValueError
    return url.path or b"/", url.query or b""


def has_valid_host(headers: Headers, version: str) -> bool:
    """Return True if there is one valid `Host`, or none in HTTP/1.0."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) == 1:
        return _HOST.fullmatch(hosts[0]) is not None
    return not hosts and version == "1.0"


def size(target: bytes, headers: Headers) -> int:
    """Return the bytes of a request's header, without method and version."""
    return len(target) + sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)


def without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """Return a request's header as it was sent, without the `Upgrade` field."""
    fields = [b"%b: %b\r\n" % field for field in headers if field[0] != b"upgrade"]
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version.encode(), b"".join(fields))
