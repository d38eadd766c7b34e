"""The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).

`RateLimit-Policy`, on every response, names the route's limits. `RateLimit`, on 429, names the one used up.
"""

from collections.abc import Mapping
from typing import Any, Final

from scoreboard.domain.rate_limit import RateLimit

PLAYER: Final = "player"
"""The limit of score updates of one user."""

SERVER: Final = "server"
"""The limit of requests of one trusted server."""

ADDRESS: Final = "address"
"""The limit of reads and new streams of one client address."""

Header = tuple[bytes, bytes]

OPENAPI: Final[dict[str, Any]] = {
    "RateLimit-Policy": {
        "description": "The limits of this operation: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"player";q=10;w=60',
    }
}
"""The header in the OpenAPI document."""


def policies(limits: Mapping[str, RateLimit | None]) -> list[Header]:
    """Return the header of a route with these limits, by name. None is a limit that is off."""
    items = [
        f'"{name}";q={limit.count};w={-(-limit.window_us // 1_000_000)}'
        for name, limit in limits.items()
        if limit is not None
    ]
    return [(b"ratelimit-policy", ", ".join(items).encode())] if items else []


def used_up(name: str, retry_after_seconds: int) -> str:
    """Return the value of `RateLimit` for a limit that allows the next request after some seconds."""
    return f'"{name}";r=0;t={retry_after_seconds}'
