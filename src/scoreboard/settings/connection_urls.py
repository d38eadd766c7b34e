"""The addresses of the partners, database and Redis: what is wrong with one, and how its password gets in."""

from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from scoreboard.settings import redis_url as redis_address
from scoreboard.settings.postgresql_url import parse_address

POSTGRESQL: Final = ("postgresql://", "postgres://")


def database_url(url: str) -> str:
    """Raises ValueError where it is no address of a database that can be used."""
    if url.startswith(POSTGRESQL):
        parse_address(url)
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


def redis_url(url: str | None) -> str | None:
    """Raises ValueError where it is no address of a Redis server."""
    if url is not None:
        try:
            redis_address.parse_address(url)
        except ValueError:
            raise ValueError(
                "must be a URL such as redis://:password@host:6379/0, or rediss:// for TLS; "
                "with Sentinels, redis+sentinel://:password@host:26379,host:26379/mymaster/0"
            ) from None
    return url


def replica_url(url: str | None) -> str | None:
    """Raises ValueError where it is no address of a PostgreSQL server's database."""
    if url is not None:
        if not url.startswith(POSTGRESQL):
            raise ValueError("must begin with postgresql://")
        parse_address(url, is_replica=True)
    return url


def has_password(url: str) -> bool:
    """Whether an address brings its password along."""
    return urlsplit(url).password is not None


def with_password(url: str, password: SecretStr | None) -> str:
    """The address with a password that is kept apart from it."""
    if password is None:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{host}").geturl()
