"""Checks between settings. Each raises ValueError with a text that begins with the setting to change."""

from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from scoreboard.settings.connection_urls import has_password
from scoreboard.settings.environment import PREFIX
from scoreboard.settings.redis_url import parse_address

if TYPE_CHECKING:
    from scoreboard.settings.config import Settings

DEVELOPMENT_SECRET: Final = "for development alone, known to everybody"  # noqa: S105  # published
"""The secret of `make dev-distributed`. It is written in the Makefile."""


def check(settings: "Settings") -> None:
    """Raise ValueError for the first check that fails."""
    _check_deployment(settings)
    _check_redis(settings)
    _check_passwords(settings)
    _check_production(settings)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise ValueError("SCOREBOARD_TLS_CERTIFICATE and SCOREBOARD_TLS_KEY: must be set together")


def _check_deployment(settings: "Settings") -> None:
    if not settings.is_distributed:
        if settings.redis_url is not None:
            raise ValueError(
                "SCOREBOARD_DATABASE_URL: must be a postgresql:// URL if SCOREBOARD_REDIS_URL is set"
            )
        if settings.database_read_url is not None:
            raise ValueError(
                "SCOREBOARD_DATABASE_READ_URL: must not be set for a SQLite file, which has no replica"
            )
        return
    if settings.redis_url is None:
        raise ValueError("SCOREBOARD_REDIS_URL: must be set too, since all instances share one ranking")
    if settings.jwt_secret is None and not settings.has_public_keys:
        raise ValueError("SCOREBOARD_JWT_SECRET: must be set, since all instances need the same secret")


def _check_redis(settings: "Settings") -> None:
    if settings.redis_url is None:
        return
    address = parse_address(settings.redis_url)
    has_sentinels = address.service is not None
    if settings.redis_cluster and (has_sentinels or not address.hosts):
        raise ValueError("SCOREBOARD_REDIS_CLUSTER: must be false for Sentinels and for a Unix socket")
    if len(address.hosts) > 1 and not has_sentinels and not settings.redis_cluster:
        raise ValueError(
            "SCOREBOARD_REDIS_URL: must name one server, unless SCOREBOARD_REDIS_CLUSTER is true "
            "or it begins with redis+sentinel://"
        )
    if settings.redis_sentinel_password is not None and not has_sentinels:
        raise ValueError("SCOREBOARD_REDIS_SENTINEL_PASSWORD: must not be set without redis+sentinel://")


def _check_passwords(settings: "Settings") -> None:
    for name, password, urls in (
        ("DATABASE", settings.database_password, (settings.database_url, settings.database_read_url)),
        ("REDIS", settings.redis_password, (settings.redis_url,)),
    ):
        if password is not None and any(url is not None and has_password(url) for url in urls):
            raise ValueError(f"{PREFIX}{name}_PASSWORD: must not be set if the URL has a password")
    if settings.database_password is not None and not settings.is_distributed:
        raise ValueError("SCOREBOARD_DATABASE_PASSWORD: must not be set for a SQLite file")


def _check_production(settings: "Settings") -> None:
    if settings.env != "production":
        return
    if "*" in settings.cors_origins:
        raise ValueError(
            "SCOREBOARD_CORS_ORIGINS: must name origins in production: * lets any page send scores"
        )
    # Old secrets are a list, and this secret has a comma, so it cannot be one of them.
    for name, secret in (("JWT_SECRET", settings.jwt_secret), ("ORIGIN_SECRET", settings.origin_secret)):
        if secret == SecretStr(DEVELOPMENT_SECRET):
            raise ValueError(
                f"{PREFIX}{name}: must be your own secret in production: the one for development is published"
            )
