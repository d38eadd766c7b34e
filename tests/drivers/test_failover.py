"""A name that leads to another server from one moment on, or to one that takes no writes any more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import Progress
from scoreboard.ranking.redis.connection import Limits as RedisLimits
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.limits import LIMIT_SECONDS, PATIENT_POSTGRESQL
from tests.making import MAIN, UNLIMITED, change, commit, standing, submission
from tests.relay import Relay
from tests.servers.redis import RedisServer

STEP, LAST_PAGE = ChangeKind.STEP, ChangeKind.LAST_PAGE


@pytest.fixture
def primary() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def replica(primary: RedisServer) -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@asynccontextmanager
async def through(relay: Relay) -> AsyncIterator[RedisRanking]:
    url, limits = f"redis://127.0.0.1:{relay.port}/0", RedisLimits(connections=4, silence_seconds=2)
    async with RedisRanking(url, ["main"], prefix="p", is_cluster=False, limits=limits) as ranking:
        await ranking.apply(change(LAST_PAGE, 0, 0))
        yield ranking


async def until_back(ranking: RedisRanking) -> None:
    """Whoever comes back says that everything may have changed."""
    changed = ranking.changed_boards()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                try:
                    await ranking.progress("main")
                    return
                except RankingUnavailable:
                    await anext(changed)
    finally:
        await changed.aclose()  # type: ignore[attr-defined]


async def test_a_redis_that_became_a_replica_is_left_for_the_one_that_the_name_leads_to_now(
    primary: RedisServer, replica: RedisServer
) -> None:
    async with Relay(primary.port) as relay, through(relay) as ranking:
        await asyncio.to_thread(replica.replica_of, primary)
        await asyncio.to_thread(replica.promote, primary)
        # The connections that are open stay with the old one, which still answers.
        await asyncio.to_thread(primary.replica_of, replica)
        relay.target_port = replica.port
        step = change(STEP, 0, 1, standing(1, 50, 1))
        with pytest.raises(RankingUnavailable):
            await ranking.apply(step)
        await until_back(ranking)
        assert (await ranking.apply(step)).ranks == {1: 1}
        assert replica.execute("EXISTS", "p:{main}:order") == 1


async def test_a_name_that_leads_to_a_replica_is_tried_until_that_one_takes_writes(
    primary: RedisServer, replica: RedisServer
) -> None:
    async with Relay(primary.port) as relay, through(relay) as ranking:
        await asyncio.to_thread(replica.replica_of, primary)
        relay.target_port = replica.port
        await asyncio.to_thread(primary.kill)
        with pytest.raises(RankingUnavailable):
            await ranking.progress("main")
        await attempts(replica, 2)
        # It could be read, and what it has is old from now on.
        with pytest.raises(RankingUnavailable):
            await ranking.progress("main")
        await asyncio.to_thread(replica.promote)
        await until_back(ranking)
        assert await ranking.progress("main") == Progress(0, readable=True)
        assert (await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))).ranks == {1: 1}


async def attempts(server: RedisServer, count: int) -> None:
    """Return when a server has been asked `count` times whether it is the primary."""

    def counted() -> int:
        with server.client() as client:
            calls = client.info("commandstats").get("cmdstat_role")
        return int(calls["calls"]) if isinstance(calls, dict) else 0

    async with asyncio.timeout(LIMIT_SECONDS):
        while await asyncio.to_thread(counted) < count:
            pass


TAKES_NO_WRITES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_backend_pid() IN ({pids}) THEN
        RAISE EXCEPTION 'cannot execute INSERT in a read-only transaction' USING ERRCODE = '25006';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON score_events FOR EACH ROW EXECUTE FUNCTION refuse();
"""
"""As a standby answers, on the connections that are open: new ones lead to the server that took its place."""


async def test_a_connection_to_a_postgresql_that_takes_no_writes_any_more_is_left_and_nobody_is_told(
    migrated_url: str,
) -> None:
    connection = await asyncpg.connect(migrated_url)
    pids = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = "
        "'scoreboard'"
    )
    async with PostgresqlStore(migrated_url, limit=UNLIMITED, clock=None, limits=PATIENT_POSTGRESQL) as store:
        await store.register_boards([MAIN])
        await commit(store, submission("ada"))
        before = {row["pid"] for row in await connection.fetch(pids)}
        await connection.execute(TAKES_NO_WRITES.format(pids=",".join(map(str, before))))
        await commit(store, submission("bob"))
        assert [e.version for e in await store.events("main", 0, 10)] == [1, 2]
        async with asyncio.timeout(LIMIT_SECONDS):
            while before & {row["pid"] for row in await connection.fetch(pids)}:
                pass
    await connection.close()
