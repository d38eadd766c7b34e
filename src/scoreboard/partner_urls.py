"""The addresses of the partners, database and Redis: what is wrong with one, and how its password gets in."""

from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import SecretStr
from redis.asyncio.connection import parse_url
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

POSTGRESQL: Final = ("postgresql://", "postgres://")


def database_url(url: str) -> str:
    """Raises ValueError where it is no address of a database that can be used."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(
            "must be a URL: sqlite:///scoreboard.db, or postgresql://user:password@host/database"
        ) from None
    if url.startswith(POSTGRESQL):
        # Programs differ in what they make of these: parts of a password would be taken for something else.
        if set("#?/[]") & set(url.partition("://")[2].rpartition("@")[0]):
            raise ValueError("must have # ? / [ ] in user and password percent-encoded, as %23 %3F %2F %5B %5D")
        if not parsed.host or not parsed.database:
            raise ValueError("must name a host and a database, as postgresql://user:password@host/database does")
        return url
    if parsed.drivername != "sqlite" or parsed.host:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise ValueError("must name a file, as sqlite:///scoreboard.db does")
    return url


def redis_url(url: str | None) -> str | None:
    """Raises ValueError where it is no address of a Redis server."""
    if url is not None:
        try:
            parse_url(url)
        except ValueError:
            raise ValueError("must be a URL such as redis://:password@host:6379/0, or rediss:// for TLS") from None
    return url


def replica_url(url: str | None) -> str | None:
    """Raises ValueError where it is no address of a PostgreSQL server's database."""
    if url is not None and not url.startswith(POSTGRESQL):
        raise ValueError("must begin with postgresql://")
    return None if url is None else database_url(url)


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
