"""Verifying and signing bearer tokens: JSON Web Tokens (RFC 7519, RFC 8725)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import jwt

from scoreboard.domain.digests import Digests
from scoreboard.domain.errors import (
    KeysUnavailable,
    ProofInvalid,
    StartError,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
)
from scoreboard.domain.names import claimed_name
from scoreboard.domain.plain_text import check_id, label
from scoreboard.domain.scopes import WRITE_SCORES
from scoreboard.domain.submissions import Caller, Proof
from scoreboard.ports.clock import Clock
from scoreboard.web.auth.key_set import HS256, Key
from scoreboard.web.auth.key_sources import Keys
from scoreboard.web.auth.token_claims import (
    PROOF_CLAIM,
    SCOPE_CLAIMS,
    audiences_of,
    columns_of,
    media_type,
    points_of,
    scopes_of,
    time_us_of,
    user_id_of,
)

MAX_TOKEN_BYTES: Final = 8_192
"""A longer token is refused without parsing it."""

LEEWAY_US: Final = 10_000_000
"""The accepted difference between the clocks of two machines."""

CACHED_TOKENS: Final = 10_000
CACHE_SECONDS: Final = 300
"""A valid signature is verified again after five minutes. The expiry is checked for each request."""


PROOF_TYPE: Final = "scoreboard-proof+jwt"
"""The `typ` of a proof, so that a token is not accepted as a proof (RFC 8725, section 3.11)."""

PROOF_SECONDS: Final = 600
"""The longest lifetime of a proof, which is about something that has just happened."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The required claims of a token. `issuer`, `audiences` and `type` are checked only if they are set."""

    issuer: str | None = None
    audiences: Sequence[str] = ()
    """A token must name one of them. Tokens signed by this server name the first one."""
    type: str | None = None
    max_lifetime_seconds: int = 30 * 86_400
    unscoped_may_score: bool = True
    """True if a token without any scope claim may score for its own user."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A valid token. It is refused `LEEWAY_US` after its expiry."""

    caller: Caller
    expires_us: int
    cached_until_us: int
    """The time from which its signature is verified again."""


class Tokens:
    """Verify and sign tokens. Valid ones are cached by their digest."""

    def __init__(
        self, keys: Keys, clock: Clock, policy: Policy | None = None, digests: Digests | None = None
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._policy = policy or Policy()
        self._digests = digests or Digests()
        self._cache: dict[bytes, VerifiedToken] = {}
        self._generation = keys.generation

    async def refresh_keys(self) -> float | None:
        """Download the keys. Return the seconds until the next download, or None."""
        return await self._keys.tick()

    def sign(self, caller: Caller, lifetime_seconds: int) -> str:
        """Return a token for a caller. Raises StartError if there is no secret to sign with."""
        claims = {
            "sub": caller.user_id,
            "name": caller.name,
            "scope": " ".join(sorted(caller.scopes)) or None,
            "jti": caller.token_id,
        }
        return self._sign(claims, lifetime_seconds, self._policy.type or "JWT")

    def _sign(self, claims: Mapping[str, object], lifetime_seconds: int, type: str) -> str:
        secret = next((key for key in self._keys.now() if key.algorithm == HS256), None)
        if secret is None:
            raise StartError("This server only verifies tokens: set SCOREBOARD_JWT_SECRET to sign them here.")
        now_seconds = self._clock.now_us() // 1_000_000
        all_claims = {
            **claims,
            "iat": now_seconds,
            "exp": now_seconds + lifetime_seconds,
            "iss": self._policy.issuer,
            "aud": next(iter(self._policy.audiences), None),
        }
        present = {name: value for name, value in all_claims.items() if value is not None}
        return jwt.encode(present, secret.value, algorithm=HS256, headers={"typ": type})

    async def verify(self, authorization: bytes | None) -> VerifiedToken:
        """Verify the token of an `Authorization` header.

        Raises TokenMissing, TokenExpired, TokenInvalid (without the reason), and KeysUnavailable.
        """
        if authorization is None:
            raise TokenMissing
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            raise TokenMissing
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenInvalid
        now_us = self._clock.now_us()
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._cache.clear()
        digest = sha256(token).digest()
        found = self._cache.get(digest)
        if found is None or found.cached_until_us <= now_us:
            found = await self._verify(token.strip(), now_us)
            if len(self._cache) >= CACHED_TOKENS:
                del self._cache[next(iter(self._cache))]
            self._cache[digest] = found
        if found.expires_us + LEEWAY_US <= now_us:
            raise TokenExpired
        return found

    def sign_proof(
        self,
        user_id: str,
        action_id: str,
        proof_id: str,
        points: int | None = None,
        columns: Mapping[str, int] | None = None,
    ) -> str:
        """Return a proof that a user has completed an action. Raises StartError if there is no secret."""
        claims = {
            "sub": user_id,
            PROOF_CLAIM: action_id,
            "jti": proof_id,
            "points": points,
            "columns": columns or None,
        }
        return self._sign(claims, PROOF_SECONDS, PROOF_TYPE)

    async def verify_proof(self, text: str) -> Proof:
        """Return a proof. An expired proof (`is_expired`) is accepted only in a repeat of a submission.

        Raises ProofInvalid, KeysUnavailable.
        """
        now_us = self._clock.now_us()
        if len(text) > MAX_TOKEN_BYTES:
            raise ProofInvalid
        try:
            claims = await self._claims(text.encode(), PROOF_TYPE)
            expires_us = self._check(claims, now_us, PROOF_SECONDS)
            if expires_us > now_us + PROOF_SECONDS * 1_000_000 + LEEWAY_US:
                raise ProofInvalid
            user_id = user_id_of(claims["sub"])
            digest = self._digests.proof(str(claims.get("iss", "")), user_id, check_id(claims["jti"]))
            return Proof(
                user_id=user_id,
                action_id=check_id(claims[PROOF_CLAIM]),
                digest=digest,
                points=points_of(claims.get("points")),
                columns=columns_of(claims.get("columns")),
                is_expired=expires_us + LEEWAY_US <= now_us,
            )
        except (TokenInvalid, *_INVALID) as error:
            raise ProofInvalid from error

    async def _verify(self, token: bytes, now_us: int) -> VerifiedToken:
        try:
            claims = await self._claims(token, self._policy.type)
            if PROOF_CLAIM in claims:
                raise TokenInvalid
            expires_us = self._check(claims, now_us, self._policy.max_lifetime_seconds)
            return VerifiedToken(
                self._caller(token, claims), expires_us, cached_until_us=now_us + CACHE_SECONDS * 1_000_000
            )
        except _INVALID as error:
            raise TokenInvalid from error

    async def _claims(self, token: bytes, type: str | None) -> dict[str, Any]:
        """Return the claims of a signed token of a type. None is any type except that of proofs."""
        header = jwt.get_unverified_header(token)
        own_type = media_type(header.get("typ"))
        is_expected = own_type != PROOF_TYPE if type is None else own_type == media_type(type)
        if "crit" in header or not is_expected:
            raise TokenInvalid
        return _decode(token, await self._candidates(header))

    async def _candidates(self, header: dict[str, Any]) -> Sequence[Key]:
        """Return the keys that may have signed a token. Its header only selects among the known keys.

        `jku`, `jwk`, `x5u` and similar headers are ignored.
        """
        kid = header.get("kid")
        found = self._fitting(header["alg"], kid)
        if not found and await self._keys.refresh():
            found = self._fitting(header["alg"], kid)
        if not found and not self._keys.is_complete:
            raise KeysUnavailable
        return found

    def _fitting(self, algorithm: str, kid: object) -> Sequence[Key]:
        return [key for key in self._keys.now() if key.algorithm == algorithm and kid in {key.kid, None}] or [
            # A known key without a `kid` fits any `kid`.
            key
            for key in self._keys.now()
            if key.algorithm == algorithm and key.kid is None
        ]

    def _check(self, claims: dict[str, Any], now_us: int, longest_seconds: int) -> int:
        """Return the expiry. Raises TokenInvalid if issuer, audience, lifetime or start time is wrong."""
        policy = self._policy
        expires_us, longest_us = time_us_of(claims["exp"]), longest_seconds * 1_000_000
        issued_us = time_us_of(claims.get("iat", now_us / 1_000_000))
        if max(time_us_of(claims.get("nbf", 0)), issued_us) > now_us + LEEWAY_US:
            raise TokenInvalid
        if expires_us - issued_us > longest_us:
            raise TokenInvalid
        if policy.issuer is not None and claims.get("iss") != policy.issuer:
            raise TokenInvalid
        if policy.audiences and set(policy.audiences).isdisjoint(audiences_of(claims)):
            raise TokenInvalid
        return expires_us

    def _caller(self, token: bytes, claims: dict[str, Any]) -> Caller:
        scopes = scopes_of(claims)
        if self._policy.unscoped_may_score and not any(name in claims for name in SCOPE_CLAIMS):
            scopes = frozenset({WRITE_SCORES})
        # The log identifies a token without `jti` by its digest.
        token_id = label(claims.get("jti")) or f"sha256:{sha256(token).hexdigest()[:16]}"
        return Caller(user_id_of(claims["sub"]), claimed_name(claims.get("name")), scopes, token_id)


_INVALID: Final = (
    jwt.PyJWTError,
    KeyError,
    ValueError,
    TypeError,
    OverflowError,
    AttributeError,
    RecursionError,
)
"""Errors that the parsing of a malformed token raises."""


def _decode(token: bytes, candidates: Sequence[Key]) -> dict[str, Any]:
    """Return the claims of a token that one of the keys has signed. Raises TokenInvalid, PyJWT's errors."""
    for key in candidates:
        try:
            return jwt.decode(
                token,
                key.value,
                algorithms=[key.algorithm],
                # `_check` checks times with the injected clock, and accepts only the forms of RFC 7519.
                # `sub` and `jti` of some issuers are numbers.
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                    "verify_iss": False,
                    "verify_sub": False,
                    "verify_jti": False,
                },
            )
        except jwt.InvalidSignatureError:
            continue
    raise TokenInvalid
