"""An empty ranking of each driver."""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.limits import PATIENT_REDIS
from tests.making import DEFINITIONS, change

DRIVERS: Final = ("memory", "redis", "redis-cluster")


def make_ranking(request: pytest.FixtureRequest) -> Ranking:
    if request.param == "memory":
        return MemoryRanking(DEFINITIONS)
    is_cluster = request.param == "redis-cluster"
    return RedisRanking(
        request.getfixturevalue("redis_cluster").url if is_cluster else request.getfixturevalue("redis_url"),
        {"main": DEFINITIONS["main"]},
        prefix=request.getfixturevalue("redis_prefix"),
        is_cluster=is_cluster,
        limits=PATIENT_REDIS,
    )


@pytest.fixture(params=DRIVERS)
async def empty(request: pytest.FixtureRequest) -> AsyncIterator[Ranking]:
    async with make_ranking(request) as ranking:
        yield ranking


@pytest.fixture
async def ranking(empty: Ranking) -> Ranking:
    """A readable ranking of a board without events."""
    await empty.apply(change(ChangeKind.LAST_PAGE, 0, 0))
    return empty


async def order(ranking: Ranking) -> list[tuple[int, str, int]]:
    return [(e.rank, e.user_id, e.score) for e in (await ranking.read("main", ALL_TIME, Page(1_000))).entries]
