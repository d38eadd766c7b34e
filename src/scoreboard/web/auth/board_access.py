"""Who may read boards: everybody, or whoever has a token."""

from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.middleware.request_log import USER
from scoreboard.web.problems import TokenInQuery

IN_QUERY: Final = ("access_token", "token", "jwt", "authorization")
"""What a token would be called there: RFC 6750, section 2.3, and what people try."""


class BoardAccess:
    """Lets in whoever may read."""

    def __init__(self, tokens: Tokens | None) -> None:
        """Without tokens, everybody."""
        self._tokens = tokens

    @property
    def are_all(self) -> bool:
        """Whether everybody may: then answers are everybody's, too."""
        return self._tokens is None

    async def check(self, scope: Scope, parameters: Iterable[str]) -> int | None:
        """Let a request in that names these parameters in its query; until when (None: for ever).

        Raises TokenMissing, TokenExpired, TokenInvalid, KeysUnavailable, and TokenInQuery.

        Addresses are kept in histories and logs of every proxy on the way, so a token there is refused, good or not.
        """
        if any(name.lower() in IN_QUERY for name in parameters):
            raise TokenInQuery
        if self._tokens is None:
            return None
        authorization = dict(scope["headers"]).get(b"authorization")
        scope["state"][USER] = (await self._tokens.verify(authorization)).user_id
        return await self._tokens.good_until_us(authorization)
