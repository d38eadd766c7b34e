"""Validation of the URLs that the server connects to: the database, Redis and the key set."""

from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from scoreboard.settings import postgresql_url
from scoreboard.settings import redis_url as redis_address
from scoreboard.settings.hosts import is_this_machine

POSTGRESQL: Final = ("postgresql://", "postgres://")


def database_url(url: str) -> str:
    """Return the URL. Raises ValueError if it is not a PostgreSQL URL or a SQLite file."""
    if url.startswith(POSTGRESQL):
        postgresql_url.parse_address(url)
        return url
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(
            "must be a URL: sqlite:///scoreboard.db, or postgresql://user:password@host/database"
        ) from None
    if parsed.drivername != "sqlite" or parsed.host:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise ValueError("must name a file, as sqlite:///scoreboard.db does")
    return url


def redis_url(url: str) -> str:
    """Return the URL. Raises ValueError if it is not one of Redis."""
    try:
        redis_address.parse_address(url)
    except redis_address.RedisOptionError:
        raise
    except ValueError:
        raise ValueError(
            "must be a URL such as redis://:password@host:6379/0, or rediss:// for TLS; "
            "with Sentinels, redis+sentinel://:password@host:26379,host:26379/mymaster/0"
        ) from None
    return url


def replica_url(url: str) -> str:
    """Return the URL. Raises ValueError if it is not one of PostgreSQL."""
    if not url.startswith(POSTGRESQL):
        raise ValueError("must begin with postgresql://")
    postgresql_url.parse_address(url, is_replica=True)
    return url


def key_set_url(url: str) -> str:
    """Return the URL. Raises ValueError without TLS, or with a password, which errors would show."""
    if "@" in url:
        raise ValueError("must have no user and no password: the keys are public. Write any other @ as %40")
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"https", "http"} and parts.port != 0 and url.isascii() and url.isprintable()
    except ValueError:
        is_url = False
    if not is_url or not parts.hostname or " " in url:
        raise ValueError("must be a URL such as https://login.example/.well-known/jwks.json")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        raise ValueError(
            "must begin with https://: an attacker who changes the keys in transit can sign any token"
        )
    return url


def has_password(url: str) -> bool:
    """Return True if a URL has a password."""
    return urlsplit(url).password is not None


def with_password(url: str, password: SecretStr | None) -> str:
    """Return the URL with a password from a separate setting."""
    if password is None:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{host}").geturl()
