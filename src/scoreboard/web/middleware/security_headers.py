"""Security headers of every response, for browsers."""

from collections.abc import Sequence
from typing import Final

Header = tuple[bytes, bytes]

SECURITY_HEADERS: Final[Sequence[Header]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # A response that is not a page must not be shown as one, nor in a frame. Pages set another policy.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # Does not apply to reads by CORS. Static files, which other origins may load, set another value.
    (b"cross-origin-resource-policy", b"same-origin"),
)

STRICT_TRANSPORT_SECURITY: Final[Header] = (b"strict-transport-security", b"max-age=31536000")
"""One year. Only where this process ends TLS: else the proxy decides (RFC 6797, section 7.2)."""
