"""Bearer tokens: JSON Web Tokens (RFC 7519) signed with HS256, checked without a session store."""

from hashlib import sha256
from math import isfinite
from typing import Final

import jwt

from scoreboard.errors import TokenExpired, TokenInvalid, TokenMissing
from scoreboard.interfaces import Clock
from scoreboard.model import Caller
from scoreboard.text import check_id, shown_name

ALGORITHM: Final = "HS256"
"""Pinned here and never read from a token: `alg: none` and a confusion of keys are impossible."""

MAX_TOKEN_BYTES: Final = 8_192
"""A longer one is refused unread."""

REMEMBERED_TOKENS: Final = 10_000
REMEMBERED_SECONDS: Final = 300
"""A signature that was good is not computed again for five minutes; a token's own end is checked every time."""


class Tokens:
    """Verifies and signs tokens."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._remembered: dict[bytes, tuple[int, int, Caller]] = {}

    def sign(self, caller: Caller, lifetime_seconds: int) -> str:
        """A token for a caller, valid from now on."""
        claims: dict[str, object] = {
            "sub": caller.user_id,
            "iat": self._clock.now_us() // 1_000_000,
            "exp": self._clock.now_us() // 1_000_000 + lifetime_seconds,
        }
        if caller.name is not None:
            claims["name"] = caller.name
        if caller.scopes:
            claims["scope"] = " ".join(sorted(caller.scopes))
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def verify(self, authorization: bytes | None) -> Caller:
        """Who an `Authorization` header speaks for.

        Raises TokenMissing, TokenExpired, TokenInvalid; the last says nothing of the reason.
        """
        if authorization is None:
            raise TokenMissing
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            raise TokenMissing
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenInvalid
        now_us = self._clock.now_us()
        digest = sha256(token).digest()
        forget_us, expires_us, caller = self._remembered.get(digest) or self._read(digest, token.strip(), now_us)
        if forget_us <= now_us:
            del self._remembered[digest]
        if expires_us <= now_us:
            raise TokenExpired
        return caller

    def _read(self, digest: bytes, token: bytes, now_us: int) -> tuple[int, int, Caller]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                # The clock is ours, and what PyJWT takes for a time is wider than what RFC 7519 does.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
            if _time_us(claims.get("nbf", 0)) > now_us:
                raise TokenInvalid
            expires_us = _time_us(claims["exp"])
            scope = claims.get("scope", "")
            caller = Caller(
                user_id=check_id(claims["sub"]),
                name=shown_name(claims.get("name")),
                scopes=frozenset(scope.split()) if isinstance(scope, str) else frozenset(),
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise TokenInvalid from error
        read = (now_us + REMEMBERED_SECONDS * 1_000_000, expires_us, caller)
        if len(self._remembered) >= REMEMBERED_TOKENS:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = read
        return read


def _time_us(claim: object) -> int:
    """A NumericDate. Raises ValueError where it is none: a token must end."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not isfinite(claim):
        raise ValueError("not a time")
    return round(claim * 1_000_000)
