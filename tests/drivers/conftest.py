"""Rankings in Redis, and an observer of the test's database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from scoreboard.domain.definitions import SUM_DESCENDING, Definition
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.ports.ranking import CopyState
from scoreboard.ranking.redis.connection import RedisLimits
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.drivers.observer import Observer
from tests.limits import LIMIT_SECONDS, PATIENT_REDIS
from tests.servers.redis import RedisServer
from tests.stores import open_postgresql


@pytest.fixture
async def observer(migrated_url: str) -> AsyncIterator[Observer]:
    connection = await asyncpg.connect(migrated_url)
    yield Observer(migrated_url, connection)
    await connection.close()


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[PostgresqlStore]:
    async with open_postgresql(migrated_url) as store:
        yield store


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server for one test, which may flush it or kill it."""
    with RedisServer() as server:
        yield server


def open_ranking(
    url: str,
    limits: RedisLimits = PATIENT_REDIS,
    *,
    prefix: str = "p",
    is_cluster: bool = False,
    sentinel_password: str | None = None,
    definition: Definition = SUM_DESCENDING,
) -> RedisRanking:
    """`definition` is that of the main board."""
    return RedisRanking(
        url,
        {"main": definition, "side": SUM_DESCENDING},
        prefix=prefix,
        is_cluster=is_cluster,
        limits=limits,
        sentinel_password=sentinel_password,
    )


@asynccontextmanager
async def following(ranking: RedisRanking) -> AsyncIterator[AsyncIterator[str]]:
    """Yield the boards that are reported as changed. At first, all of them are."""
    changed = ranking.changed_boards()
    await all_boards(changed)
    yield changed
    await changed.aclose()  # type: ignore[attr-defined]


async def all_boards(changed: AsyncIterator[str]) -> None:
    """Wait until all boards are reported as changed, as they are when changes may have been missed."""
    async with asyncio.timeout(LIMIT_SECONDS):
        named: set[str] = set()
        while named != {"main", "side"}:
            named.add(await anext(changed))


async def progress_again(ranking: RedisRanking) -> CopyState:
    """Return the progress of the main board as soon as Redis answers again: then all boards are reported."""
    changed = ranking.changed_boards()
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            try:
                found = await ranking.copy_state("main")
                break
            except RankingUnavailable:
                await anext(changed)
    await changed.aclose()  # type: ignore[attr-defined]
    return found
