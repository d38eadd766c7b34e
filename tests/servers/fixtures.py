"""Servers that tests share. Nothing starts before a test asks for it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.servers.databases import MigratedDatabases
from tests.servers.finding import DATABASE_URL, REDIS_URL
from tests.servers.postgresql import Postgres, PostgresServer
from tests.servers.redis import Redis, RedisCluster, RedisServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL for databases that come and go: the one that the settings name, else the session's own."""
    if DATABASE_URL:
        yield Postgres(DATABASE_URL)
        return
    # Its data end with the tests, so no disk has to hold them.
    with PostgresServer(fsync=False) as server:
        yield server


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """An empty database of the test's own."""
    name = f"scoreboard_test_{uuid4().hex}"
    postgres.create_database(name)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def migrated_databases(postgres: Postgres) -> Iterator[MigratedDatabases]:
    databases = MigratedDatabases(postgres)
    yield databases
    databases.close()


@pytest.fixture
def migrated_url(migrated_databases: MigratedDatabases) -> Iterator[str]:
    """A database of the test's own, with this program's schema."""
    with migrated_databases.one() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """Redis for keys that come and go: the one that the settings name, else the session's own."""
    if REDIS_URL:
        yield Redis(REDIS_URL)
        return
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """A cluster of the session's own. Keys of tests differ by `redis_prefix`, and end with the session."""
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture
def redis_prefix() -> str:
    """What the keys of this test, and of no other, begin with."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def redis_url(redis_server: Redis, redis_prefix: str) -> Iterator[str]:
    """A Redis for keys with the test's own prefix, which are removed after it."""
    yield redis_server.url
    redis_server.remove(redis_prefix)
