"""Several processes fill one copy in Redis while scores arrive and it is lost: no page is ever wrong."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Change, Snapshot
from scoreboard.ports.store import Store
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.services.apply import Applier
from scoreboard.store.sqlite.store import SqliteStore
from tests.drivers.conftest import open_ranking
from tests.limits import LIMIT_SECONDS
from tests.making import DUEL, QUEST, check_copy, commit, decide_with, submission
from tests.replay import replay
from tests.servers.redis import RedisServer
from tests.stores import migrated_file, open_sqlite

PLAYERS = 40
PAGE_SIZE = 8
TURNS = 30


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(migrated_file(tmp_path / "healing.db")) as store:
        await commit(store, *(submission(f"user-{n}") for n in range(PLAYERS)))
        yield store


class Process:
    """Heals, writes and reads like an instance."""

    def __init__(self, store: Store, ranking: RedisRanking) -> None:
        self.store = store
        self.ranking = ranking
        self.applier = Applier(store, ranking)
        self.read: list[Snapshot] = []

    async def write(self, rng: random.Random, losing: asyncio.Task[None]) -> None:
        """Write until `TURNS` turns after the last loss, so that there is something to read."""
        steps: list[Change] = []
        left = TURNS
        while left:
            left -= losing.done()
            steps += await self.commit(rng)
            # In any order, some late and some never: a process may be killed between its commit and this.
            for step in rng.choices(steps, k=4):
                await self.applier.apply(Decision((), (), (step,)))

    async def commit(self, rng: random.Random) -> Sequence[Change]:
        batch = [submission(f"user-{n}", rng.choice((QUEST, DUEL))) for n in rng.sample(range(PLAYERS), 2)]
        return (await self.store.commit({"main"}, lambda: batch, decide_with())).changes

    async def heal(self, until: asyncio.Future[list[None]]) -> None:
        while not until.done():
            await self.applier.heal("main")
        await self.applier.heal("main")

    async def look(self, until: asyncio.Future[list[None]]) -> None:
        while not until.done():
            with suppress(RankingUnavailable):
                self.read.append(await self.ranking.read("main", ALL_TIME, Page(100)))


@asynccontextmanager
async def process(store: Store, redis: RedisServer) -> AsyncIterator[Process]:
    async with open_ranking(redis.url) as ranking:
        yield Process(store, ranking)


async def lose(ranking: RedisRanking, redis: RedisServer, loss: str, rng: random.Random) -> None:
    """Delete the copy while it is being filled, several times."""
    for _ in range(0 if loss == "nothing" else 4):
        async with asyncio.timeout(LIMIT_SECONDS):
            while (await ranking.copy_state("main")).version < PAGE_SIZE * rng.randint(1, 4):
                pass
        if loss == "the copy":
            await ranking.drop("main")
        else:
            await asyncio.to_thread(redis.flush)


@pytest.mark.parametrize("loss", ["nothing", "the copy", "all"])
@pytest.mark.parametrize("seed", range(3))
async def test_two_processes_fill_one_copy_while_two_write_and_no_page_is_wrong(
    loss: str, seed: int, own_redis: RedisServer, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.apply.PAGE_SIZE", PAGE_SIZE)
    monkeypatch.setattr("scoreboard.services.apply.OTHER_PROCESS_SECONDS", 0.002)
    rng = random.Random(seed)

    async with (
        process(store, own_redis) as one,
        process(store, own_redis) as other,
        process(store, own_redis) as third,
    ):
        async with asyncio.TaskGroup() as group:
            losing = group.create_task(lose(one.ranking, own_redis, loss, rng))
            writing = [group.create_task(each.write(rng, losing)) for each in (one, third)]
            until = asyncio.gather(losing, *writing)
            for each in (one, other):
                group.create_task(each.heal(until))
            group.create_task(third.look(until))
        await check_copy(third.ranking, store)
    ledger = await store.events("main", 0, 100_000)
    keys = {s.user_id: s.player for s in (await store.changes("main", 0, 100_000)).standings}
    for page in third.read:
        assert [(e.rank, keys[e.user_id], e.score) for e in page.entries] == replay(ledger, page.version)
