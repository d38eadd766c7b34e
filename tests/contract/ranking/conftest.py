"""An empty ranking of each driver."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import SUM_DESCENDING, Definition
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.limits import PATIENT_REDIS
from tests.making import change

DRIVERS: Final = ("memory", "redis", "redis-cluster")


MakeRanking = Callable[[Definition], Ranking]


@pytest.fixture(params=DRIVERS)
def make_ranking(request: pytest.FixtureRequest) -> MakeRanking:
    """Creates rankings of the boards main and side, with a definition of the main board."""

    def make(definition: Definition) -> Ranking:
        definitions = {"main": definition, "side": SUM_DESCENDING}
        if request.param == "memory":
            return MemoryRanking(definitions)
        is_cluster = request.param == "redis-cluster"
        return RedisRanking(
            request.getfixturevalue("redis_cluster").url
            if is_cluster
            else request.getfixturevalue("redis_url"),
            definitions,
            prefix=request.getfixturevalue("redis_prefix"),
            is_cluster=is_cluster,
            limits=PATIENT_REDIS,
        )

    return make


@pytest.fixture
async def empty(make_ranking: MakeRanking) -> AsyncIterator[Ranking]:
    async with make_ranking(SUM_DESCENDING) as ranking:
        yield ranking


@pytest.fixture
async def ranking(empty: Ranking) -> Ranking:
    """A readable ranking of a board without events."""
    await empty.apply(change(ChangeKind.LAST_PAGE, 0, 0))
    return empty


async def order(ranking: Ranking, period: str = ALL_TIME) -> list[tuple[int, str, int]]:
    return [(e.rank, e.user_id, e.score) for e in (await ranking.read("main", period, Page(1_000))).entries]
