"""The common part of all routes that read boards: limit, access and entity tags."""

from collections.abc import Sequence
from typing import Final

from starlette.types import Scope, Send

from scoreboard.fanout.encoding import encode_json, entity_tag
from scoreboard.web.api_route import JSON
from scoreboard.web.auth.board_access import BoardAccess
from scoreboard.web.limits.rate_headers import Header
from scoreboard.web.limits.read_limit import ReadLimit
from scoreboard.web.request_parts import query_parameters

OVER_SECONDS: Final = 60
"""How long a cache may serve a period that is over. A correction is visible after this time at the latest."""


class ReadEndpoint:
    """Checks requests that read boards, and answers them."""

    def __init__(self, access: BoardAccess, limit: ReadLimit) -> None:
        self._access = access
        self._limit = limit
        self._cache_control = b"no-cache" if access.is_public else b"private, no-cache"
        self._cache_control_if_over = b"public, max-age=%d" % OVER_SECONDS if access.is_public else None

    @property
    def policies(self) -> Sequence[Header]:
        """The headers of the limit."""
        return self._limit.policies

    async def parameters(self, scope: Scope) -> dict[str, str]:
        """Return the parameters of a request that may read boards.

        Raises ReadsLimited, and the errors of `BoardAccess.check`.
        """
        self._limit.check(scope)
        parameters = query_parameters(scope)
        await self._access.check(scope, parameters)
        return parameters

    async def respond(
        self, scope: Scope, send: Send, body: bytes, etag: str, *, is_over: bool = False
    ) -> None:
        """Send a response, or 304 without its body if the client has it.

        `is_over` is True for standings that only a correction changes.
        """
        cache_control = self._cache_control_if_over if is_over else None
        headers = [
            (b"etag", etag.encode()),
            (b"cache-control", cache_control or self._cache_control),
            *self.policies,
        ]
        if _matches(scope, etag):
            status, body = 304, b""
        else:
            status, headers = 200, [JSON, *headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def respond_with(
        self, scope: Scope, send: Send, document: dict[str, object], *, is_over: bool = False
    ) -> None:
        """Send a JSON object."""
        body = encode_json(document)
        await self.respond(scope, send, body, entity_tag(body), is_over=is_over)


def _matches(scope: Scope, etag: str) -> bool:
    """Return True if `If-None-Match` contains the entity tag (RFC 9110, section 13.1.2)."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = [tag.strip().removeprefix("W/") for tag in value.decode("latin-1").split(",")]
            if etag in tags or "*" in tags:
                return True
    return False
