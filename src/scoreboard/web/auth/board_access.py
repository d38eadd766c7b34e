"""Access to boards: public, or with a token."""

from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

from scoreboard.web.auth.tokens import LEEWAY_US, Tokens
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.problems import TokenInQuery

TOKEN_PARAMETERS: Final = ("access_token", "token", "jwt", "authorization")
"""Query parameters that may hold a token: that of RFC 6750, section 2.3, and similar ones."""


class BoardAccess:
    """Check whether a request may read boards."""

    def __init__(self, tokens: Tokens | None) -> None:
        """Without `tokens`, boards are public."""
        self._tokens = tokens

    @property
    def is_public(self) -> bool:
        """True if shared caches may store responses."""
        return self._tokens is None

    async def check(self, scope: Scope, parameters: Iterable[str]) -> int | None:
        """Return the time until which a request with these query parameters may read, or None for no limit.

        Raises TokenMissing, TokenExpired, TokenInvalid, KeysUnavailable, and TokenInQuery: a token in the URL
        is refused even if it is valid, because histories and logs keep URLs.
        """
        if any(name.lower() in TOKEN_PARAMETERS for name in parameters):
            raise TokenInQuery
        if self._tokens is None:
            return None
        authorization = dict(scope["headers"]).get(b"authorization")
        token = await self._tokens.verify(authorization)
        scope["state"][USER] = token.caller.user_id
        return token.expires_us + LEEWAY_US
