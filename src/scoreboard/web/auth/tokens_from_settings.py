"""The signer and verifier of tokens, as the settings configure it."""

from collections.abc import Sequence

from scoreboard.clock import SystemClock
from scoreboard.domain.errors import StartError
from scoreboard.ports.clock import Clock
from scoreboard.settings.config import Settings
from scoreboard.settings.shared_secrets import make_digests
from scoreboard.settings.signing_secret import load_secret
from scoreboard.web.auth.key_set import ASYMMETRIC, HS256, Key, read_pem
from scoreboard.web.auth.key_sources import JwksKeys, Keys, secrets
from scoreboard.web.auth.tokens import Policy, Tokens


def tokens_from_settings(settings: Settings, clock: Clock | None = None) -> Tokens:
    """Return the object that signs and verifies tokens. Raises StartError."""
    own_clock = clock or SystemClock()
    policy = Policy(
        issuer=settings.jwt_issuer,
        audiences=settings.jwt_audience,
        type=settings.jwt_type,
        max_lifetime_seconds=settings.jwt_max_lifetime_seconds,
        unscoped_may_score=settings.jwt_unscoped_may_score,
    )
    return Tokens(_make_keys(settings, own_clock), own_clock, policy, make_digests(settings))


def _make_keys(settings: Settings, clock: Clock) -> Keys:
    # With public keys only, no secret is created: no one would use it.
    has_secret = settings.jwt_secret is not None or not settings.has_public_keys
    algorithms = settings.jwt_algorithms or ((HS256,) if has_secret else ()) + (
        ASYMMETRIC if settings.has_public_keys else ()
    )
    keys = _own_keys(settings, algorithms, has_secret=has_secret)
    if settings.jwt_jwks_url is not None:
        if not set(ASYMMETRIC).intersection(algorithms):
            raise StartError(
                "SCOREBOARD_JWT_ALGORITHMS has no algorithm of public keys, which SCOREBOARD_JWT_JWKS_URL "
                f"needs: add one of {', '.join(ASYMMETRIC)}."
            )
        return JwksKeys(settings.jwt_jwks_url, algorithms, clock, fixed=keys)
    if not keys:
        raise StartError("SCOREBOARD_JWT_ALGORITHMS has no algorithm of a configured key: add one, or a key.")
    return Keys(keys)


def _own_keys(settings: Settings, algorithms: Sequence[str], *, has_secret: bool) -> list[Key]:
    """Return the keys of the settings. The first one signs, if it is a secret."""
    keys: list[Key] = []
    if has_secret and HS256 in algorithms:
        old = (secret.get_secret_value().encode() for secret in settings.jwt_old_secrets)
        keys += secrets(load_secret(settings), *old)
    return keys + [read_pem(path, algorithms) for path in settings.jwt_public_keys]
