"""The store works through pgbouncer, in both pool modes and with its default settings."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event as ThreadEvent
from typing import Any

import asyncpg
import pytest

from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import StartError, StoreUnavailable
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.submissions import Submission
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.postgresql_database import Limits
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.clocks import HeldClock
from tests.harness import running
from tests.limits import PATIENT_POSTGRESQL
from tests.making import DUEL, MAIN, QUEST, SIDE, UNLIMITED, VISIT, commit, decide_with, submission
from tests.servers.pgbouncer import PgBouncer

IGNORED = (
    "jit, statement_timeout, lock_timeout, idle_in_transaction_session_timeout, plan_cache_mode, "
    "enable_seqscan"
)


@pytest.fixture(params=["session", "transaction"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["refuses parameters", "ignores parameters"])
def bouncer(request: pytest.FixtureRequest, mode: str, migrated_url: str) -> Iterator[PgBouncer]:
    settings = {"ignore_startup_parameters": IGNORED} if request.param == "ignores parameters" else {}
    with PgBouncer(migrated_url, pool_mode=mode, **settings) as bouncer:
        yield bouncer


@asynccontextmanager
async def opened(url: str, limits: Limits = PATIENT_POSTGRESQL) -> AsyncIterator[PostgresqlStore]:
    async with PostgresqlStore(url, limit=UNLIMITED, clock=None, limits=limits) as store:
        await store.register_boards([MAIN, SIDE])
        yield store


async def test_two_instances_write_read_and_heal_without_an_error(bouncer: PgBouncer) -> None:
    async with opened(bouncer.url) as one, opened(bouncer.url) as other, MemoryRanking() as ranking:
        applier = Applier(one, ranking)

        async def write(store: PostgresqlStore, action: int) -> None:
            for turn in range(25):
                await commit(
                    store, submission(f"user-{turn}", (QUEST, DUEL)[action]), submission("ada", VISIT)
                )

        async def read() -> None:
            for _ in range(25):
                await asyncio.gather(one.page("main", 10, 0), other.events("side", 0, 5), other.heads())
                await applier.heal("main")

        await asyncio.gather(write(one, 0), write(other, 1), read())
        await applier.heal("main")
        assert await ranking.page("main", 100, 0) == await other.page("main", 100, 0)
        assert [event.version for event in await one.events("main", 0, 100)] == list(range(1, 51))


async def test_connections_share_fewer_sessions(migrated_url: str) -> None:
    with PgBouncer(migrated_url, pool_mode="transaction", default_pool_size=2) as bouncer:
        async with opened(bouncer.url) as one, opened(bouncer.url) as other:
            work = [commit(store, submission(f"user-{n}")) for n in range(20) for store in (one, other)]
            await asyncio.gather(
                *work, *(store.page("main", 10, 0) for store in (one, other) for _ in range(20))
            )
            assert (await one.heads())["main"].version == 40


async def test_the_schema_is_migrated_through_pgbouncer(database_url: str, mode: str) -> None:
    with PgBouncer(database_url, pool_mode=mode) as bouncer:
        await asyncio.to_thread(postgresql_database.migrate, bouncer.url)
        await postgresql_database.check(bouncer.url)


async def test_a_pool_mode_without_transactions_is_reported_at_the_start(migrated_url: str) -> None:
    with (
        PgBouncer(migrated_url, pool_mode="statement") as bouncer,
        pytest.raises(StartError, match="statement pool"),
    ):
        await postgresql_database.check(bouncer.url)


async def test_an_instance_that_stops_while_it_holds_a_lock_is_disconnected(bouncer: PgBouncer) -> None:
    holds, go_on = ThreadEvent(), ThreadEvent()
    limits = replace(PATIENT_POSTGRESQL, idle_in_transaction_seconds=0.5)

    async def stopped() -> None:
        def stop(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            holds.set()
            assert go_on.wait(60)
            return decide_with()(batch, facts)

        async with opened(bouncer.url, limits) as other:
            await other.commit({"main"}, lambda: [submission("ada")], stop)

    with ThreadPoolExecutor(1) as executor:
        stopping = executor.submit(asyncio.run, stopped())
        try:
            assert await asyncio.to_thread(holds.wait, 60)
            async with opened(bouncer.url) as store:
                # The other instance is suspended until this is committed.
                assert len(await commit(store, submission("bob"))) == 1
        finally:
            go_on.set()
        await asyncio.to_thread(stopping.result, 60)
    async with opened(bouncer.url) as store:
        assert [event.version for event in await store.events("main", 0, 10)] == [1, 2]


async def test_a_board_that_is_locked_for_too_long_is_reported_in_time(
    bouncer: PgBouncer, migrated_url: str
) -> None:
    holder = await asyncpg.connect(migrated_url)
    async with opened(bouncer.url, replace(PATIENT_POSTGRESQL, lock_seconds=0.2)) as store:
        async with holder.transaction():
            await holder.execute(f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, key) FROM boards")
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(store.commit({"main"}, pytest.fail, decide_with()), 30)
        assert len(await commit(store, submission("ada"))) == 1
    await holder.close()


def test_a_server_behind_pgbouncer_accepts_scores_and_returns_ranks(
    tmp_path: Path, bouncer: PgBouncer, redis_url: str, redis_prefix: str
) -> None:
    settings: dict[str, Any] = {
        "database_url": bouncer.url,
        "redis_url": redis_url,
        "redis_prefix": redis_prefix,
    }
    with running(tmp_path, HeldClock(), **settings) as server:
        assert [server.score(user).json()["rank"] for user in ("ada", "bob")] == [1, 2]
        assert [entry["userId"] for entry in server.client.get("/api/leaderboard").json()["entries"]] == [
            "ada",
            "bob",
        ]
        assert server.client.get("/health/ready").json()["degraded"] == []
