"""Secrets that all instances of a scoreboard share, and the keyed digests that use them."""

from collections.abc import Sequence

import structlog

from scoreboard.domain.digests import Digests
from scoreboard.settings.config import Settings
from scoreboard.settings.signing_secret import load_secret

log = structlog.get_logger()


def make_digests(settings: Settings) -> Digests:
    """Return the digests, equal on all instances. Digests by earlier secrets are found too."""
    old = (secret.get_secret_value().encode() for secret in settings.jwt_old_secrets)
    return Digests([*_shared_secrets(settings), *old])


def hash_key(settings: Settings) -> bytes | None:
    """Return the key that hashes client addresses and user ids: the first shared secret, if there is one."""
    key = next(iter(_shared_secrets(settings)), None)
    if key is None:
        log.warning(
            "client addresses and user agents are not recorded, and digests of idempotency keys are unkeyed:"
            " set SCOREBOARD_ORIGIN_SECRET"
        )
    return key


def _shared_secrets(settings: Settings) -> Sequence[bytes]:
    """Return the secrets. The first one makes new digests."""
    shared = [] if settings.origin_secret is None else [settings.origin_secret.get_secret_value().encode()]
    # A single instance without a secret creates a file with one.
    if settings.jwt_secret is not None or not (
        settings.is_distributed or (shared and settings.has_public_keys)
    ):
        shared.append(load_secret(settings))
    return shared
