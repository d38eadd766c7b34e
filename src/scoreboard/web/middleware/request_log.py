"""The request log: a line for each request, without tokens, addresses and user ids."""

import re
from functools import lru_cache
from secrets import token_hex
from typing import Final

import structlog
from starlette.types import Scope

from scoreboard.domain.digests import keyed_hash

USER: Final = "user"
"""The key in `scope["state"]` of the user whose token was accepted."""

REQUEST_ID: Final = b"x-request-id"
"""The header with a request's id. A proxy that sends one finds the same id in its own log."""

REQUEST_IDS: Final = re.compile(rb"[A-Za-z0-9._=:/+-]{1,128}")

QUIET_ROUTES: Final = ("/health/",)
"""Routes that load balancers request every few seconds: only their server errors are logged."""

CACHED_HASHES: Final = 10_000

log = structlog.get_logger()


class RequestLog:
    """Writes the lines. A user is shown as a keyed hash, which is the same in all of the user's lines."""

    def __init__(self, key: bytes | None) -> None:
        """Create the log. Without a key, it shows nothing of users."""
        self._hash = (
            None if key is None else lru_cache(CACHED_HASHES)(lambda user_id: f"{keyed_hash(key, user_id):x}")
        )

    def write(
        self, name: bytes, method: str, route: str, status: int, seconds: float, user_id: str | None
    ) -> None:
        """Log a request by the id `name`."""
        if status < 500 and route.startswith(QUIET_ROUTES):
            return
        log.info(
            "request",
            request_id=name.decode(),
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1_000, 1),
            **({} if self._hash is None or user_id is None else {"user": self._hash(user_id)}),
        )


def request_id(scope: Scope) -> bytes:
    """Return the request's id: the client's, if it is valid, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and REQUEST_IDS.fullmatch(value):
            return bytes(value)
    return token_hex(8).encode()
