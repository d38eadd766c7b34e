"""RateLimit-Policy and RateLimit: what limits there are, and what is left of one.

They are those of draft-ietf-httpapi-ratelimit-headers-10. Each limit is named for whom it holds. What is left is told
where it is nothing: with a 429.
"""

from collections.abc import Mapping
from typing import Any, Final

from scoreboard.domain.boards import RateLimit

PLAYER: Final = "player"
"""Score updates of one user."""

SERVER: Final = "server"
"""Score updates of one trusted server, whoever they are for."""

ADDRESS: Final = "address"
"""Reads, and openings of streams, from one address."""

Header = tuple[bytes, bytes]

DESCRIBED: Final[dict[str, Any]] = {
    "RateLimit-Policy": {
        "description": "The limits that hold here: `q` requests in `w` seconds, named for whom each holds.",
        "schema": {"type": "string"},
        "example": '"player";q=10;w=60',
    }
}
"""For OpenAPI."""


def policies(limits: Mapping[str, RateLimit | None]) -> list[Header]:
    """The header of a route with these limits, by their names; none for those that are off."""
    items = [
        f'"{name}";q={limit.count};w={-(-limit.window_us // 1_000_000)}'
        for name, limit in limits.items()
        if limit is not None
    ]
    return [(b"ratelimit-policy", ", ".join(items).encode())] if items else []


def used_up(name: str, retry_after_seconds: int) -> str:
    """`RateLimit` where nothing is left of a limit for so long."""
    return f'"{name}";r=0;t={retry_after_seconds}'
