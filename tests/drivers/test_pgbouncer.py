"""The store works through pgbouncer, in both pool modes and with its default settings."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import StartError
from scoreboard.domain.queries import Page
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.clocks import HeldClock
from tests.harness import running
from tests.making import DEFINITIONS, DUEL, QUEST, VISIT, check_copy, commit, submission
from tests.servers.pgbouncer import PgBouncer
from tests.stores import open_postgresql

IGNORED = (
    "jit, statement_timeout, lock_timeout, idle_in_transaction_session_timeout, plan_cache_mode, "
    "enable_seqscan"
)


@pytest.fixture(params=["session", "transaction"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bouncer(mode: str, migrated_url: str) -> Iterator[PgBouncer]:
    """A pgbouncer with its default settings: it refuses most parameters of a session."""
    with PgBouncer(migrated_url, pool_mode=mode) as bouncer:
        yield bouncer


async def test_two_instances_write_read_and_heal_without_an_error(bouncer: PgBouncer) -> None:
    async with (
        open_postgresql(bouncer.url) as one,
        open_postgresql(bouncer.url) as other,
        MemoryRanking(DEFINITIONS) as ranking,
    ):
        applier = Applier(one, ranking)

        async def write(store: PostgresqlStore, action: int) -> None:
            for turn in range(25):
                await commit(
                    store, submission(f"user-{turn}", (QUEST, DUEL)[action]), submission("ada", VISIT)
                )

        async def read() -> None:
            for _ in range(25):
                await asyncio.gather(
                    one.read("main", ALL_TIME, Page(10)), other.events("side", 0, 5), other.heads()
                )
                await applier.heal("main")

        await asyncio.gather(write(one, 0), write(other, 1), read())
        await applier.heal("main")
        await check_copy(ranking, other)
        assert [event.version for event in await one.events("main", 0, 100)] == list(range(1, 51))


async def test_connections_share_fewer_sessions(migrated_url: str) -> None:
    with PgBouncer(migrated_url, pool_mode="transaction", default_pool_size=2) as bouncer:
        async with open_postgresql(bouncer.url) as one, open_postgresql(bouncer.url) as other:
            work = [commit(store, submission(f"user-{n}")) for n in range(20) for store in (one, other)]
            await asyncio.gather(
                *work, *(store.read("main", ALL_TIME, Page(10)) for store in (one, other) for _ in range(20))
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
