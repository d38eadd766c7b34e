"""Servers that tests share. Each one starts when a test first uses it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.servers.databases import MigratedDatabases
from tests.servers.finding import DATABASE_URL, REDIS_URL
from tests.servers.postgresql import Postgres, PostgresServer
from tests.servers.redis import Redis, RedisCluster, RedisServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL for temporary databases: the one in the environment, or a server of the session."""
    if DATABASE_URL:
        yield Postgres(DATABASE_URL)
        return
    # The data are deleted after the tests, so they need not reach a disk.
    with PostgresServer(fsync=False) as server:
        yield server


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """An empty database for the test."""
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
    """A database for the test, with this program's schema."""
    with migrated_databases.one() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """Redis for temporary keys: the one in the environment, or a server of the session."""
    if REDIS_URL:
        yield Redis(REDIS_URL)
        return
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """A cluster for the session. The keys of tests have different prefixes (`redis_prefix`)."""
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture
def redis_prefix() -> str:
    """A prefix that only this test's keys have."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def redis_url(redis_server: Redis, redis_prefix: str) -> Iterator[str]:
    """A Redis for keys with the test's prefix. They are removed after the test."""
    yield redis_server.url
    redis_server.remove(redis_prefix)
