"""Request targets (RFC 9112, section 3.2)."""

from typing import Final

import httptools

SCHEMES: Final = (b"http", b"https")


def origin_form(target: bytes) -> bytes:
    """Return path and query of a request target.

    Raises ValueError for a target that names no resource of an origin server.
    """
    if target.startswith(b"/") or target == b"*":
        return target
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserError:
        # Its message contains the whole target, and the query may contain a token.
        raise ValueError from None
    if (url.schema or b"").lower() not in SCHEMES or not url.host or url.userinfo:
        raise ValueError
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")
