"""The store follows a switch-over of PostgreSQL while the old server still runs, and no copy is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.queries import Page
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.services.heal import Healer
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.drivers.observer import PAUSE_SECONDS, Observer, poll
from tests.making import DEFINITIONS, commit, submission
from tests.relay import Relay
from tests.servers.databases import create_migrated
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgresql import PostgresReplica, PostgresServer
from tests.stores import open_postgresql

T = TypeVar("T")

LIMITS = DatabaseLimits(connections=4, silence_seconds=1, lock_seconds=20, statement_seconds=40)

SECONDS = 45
"""Takes a second or two on an idle machine. The time limit of a statement ends it after a minute."""


@dataclass(frozen=True)
class Pair:
    """A primary, and the standby that replaces it."""

    old: PostgresServer
    new: PostgresReplica


@pytest.fixture(scope="module")
def migrated() -> Iterator[PostgresServer]:
    """A stopped server with a database “scores”, whose data other servers copy."""
    with PostgresServer(fsync=False) as server:
        create_migrated(server, "scores")
        server.stop()
        yield server


@pytest.fixture
def primary(migrated: PostgresServer) -> Iterator[PostgresServer]:
    with PostgresServer(fsync=False, data_of=migrated) as server:
        yield server


@pytest.fixture
def pair(migrated: PostgresServer, primary: PostgresServer) -> Iterator[Pair]:
    with PostgresReplica(primary, data_of=migrated) as new:
        yield Pair(primary, new)


def opened(address: str, options: str = "") -> AbstractAsyncContextManager[PostgresqlStore]:
    """Open a store on the servers of `address`, as host:port,host:port."""
    return open_postgresql(f"postgresql://postgres@{address}/scores?connect_timeout=5{options}", LIMITS)


async def available(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call until the store is available, as a client does."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(PAUSE_SECONDS)


async def committed(store: PostgresqlStore, user: str) -> None:
    await available(lambda: commit(store, submission(user)))


async def version(store: PostgresqlStore) -> int:
    return (await available(store.heads))["main"].version


async def test_an_old_primary_that_became_a_standby_is_not_read(pair: Pair) -> None:
    async with Relay(pair.old.port) as relay, opened(f"127.0.0.1:{relay.port}") as store:
        await commit(store, submission("ada"))
        await asyncio.to_thread(pair.new.catch_up)
        await asyncio.to_thread(pair.old.demote)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await store.heads()
            with pytest.raises(StoreUnavailable):
                await store.read("main", ALL_TIME, Page(10))
        await asyncio.to_thread(pair.new.promote)
        relay.target_port = pair.new.port
        await committed(store, "bob")
        assert await version(store) == 2
        assert (await store.read("main", ALL_TIME, Page(10))).players == 2


@pytest.mark.parametrize("fenced", [True, False], ids=["read-only", "writable"])
async def test_an_instance_with_connections_to_the_old_primary_does_not_drop_the_shared_copy(
    pair: Pair, fenced: bool
) -> None:
    async with (
        MemoryRanking(DEFINITIONS) as ranking,
        Relay(pair.old.port) as relay,
        opened(f"127.0.0.1:{relay.port}") as store,
    ):
        applier = Applier(store, ranking)
        await commit(store, submission("ada"))
        await applier.heal("main")
        await asyncio.to_thread(pair.new.catch_up)
        if fenced:
            await asyncio.to_thread(pair.old.refuse_writes)
        await asyncio.to_thread(pair.new.promote)
        relay.target_port = pair.new.port
        async with opened(f"127.0.0.1:{pair.new.port}") as other:
            await commit(other, submission("bob"))
            await Applier(other, ranking).heal("main")
        before = await ranking.copy_state("main")
        await applier.heal("main")
        assert ((await ranking.copy_state("main")).copy_id, (await ranking.copy_state("main")).version) == (
            before.copy_id,
            2,
        )
        assert await version(store) == 2
        await committed(store, "cyd")
        assert await version(store) == 3


async def test_connections_that_became_read_only_are_replaced_without_a_write(pair: Pair) -> None:
    async with Relay(pair.old.port) as relay, opened(f"127.0.0.1:{relay.port}") as store:
        await commit(store, submission("ada"))
        await version(store)
        await asyncio.to_thread(pair.new.catch_up)
        await asyncio.to_thread(pair.old.refuse_writes)
        await asyncio.to_thread(pair.new.promote)
        relay.target_port = pair.new.port
        async with opened(f"127.0.0.1:{pair.new.port}") as other:
            await commit(other, submission("bob"))

        async def is_replaced() -> bool:
            return await version(store) == 2

        await poll(is_replaced, SECONDS)


async def test_a_read_only_database_is_read_and_reported_until_it_accepts_scores_again(
    primary: PostgresServer,
) -> None:
    async with MemoryRanking(DEFINITIONS) as ranking, opened(f"127.0.0.1:{primary.port}") as store:
        await commit(store, submission("ada"))
        healer = Healer(store, Applier(store, ranking), MinimumVersions(), ("main",))
        async with healer.loop:
            for refuses in (True, False):
                await asyncio.to_thread(primary.refuse_writes, refuses)
                async with asyncio.timeout(SECONDS):
                    while healer.unavailable != ({"store"} if refuses else set()):
                        await healer.catch_up()
                assert (await store.read("main", ALL_TIME, Page(10))).players == 1
            await commit(store, submission("bob"))


@pytest.mark.parametrize("way", ["standby", "read-only"])
async def test_sessions_of_pgbouncer_to_the_old_primary_are_ended_in_each_mode(pair: Pair, way: str) -> None:
    async with Relay(pair.old.port) as relay, AsyncExitStack() as stack:
        url = f"postgresql://postgres@127.0.0.1:{relay.port}/scores"
        bouncers = [
            stack.enter_context(PgBouncer(url, pool_mode=mode)) for mode in ("session", "transaction")
        ]
        addresses = [f"127.0.0.1:{bouncer.port}" for bouncer in bouncers]
        stores = [await stack.enter_async_context(opened(address)) for address in addresses]
        for store in stores:
            await commit(store, submission("ada"))
            await asyncio.gather(*(store.heads() for _ in range(2)))
        await asyncio.to_thread(pair.new.catch_up)
        await asyncio.to_thread(pair.old.demote if way == "standby" else pair.old.refuse_writes)
        for store in stores:
            with pytest.raises(StoreUnavailable):
                await store.heads()
        await asyncio.to_thread(pair.new.promote)
        relay.target_port = pair.new.port
        for newest, store in enumerate(stores, start=3):
            await committed(store, "bob")
            assert await version(store) == newest


async def test_an_old_primary_that_does_not_answer_is_replaced_by_the_new_one(pair: Pair) -> None:
    async with Relay(pair.old.port) as relay, opened(f"127.0.0.1:{relay.port}") as store:
        await commit(store, submission("ada"))
        await asyncio.gather(*(store.heads() for _ in range(2)))
        await asyncio.to_thread(pair.new.catch_up)
        await asyncio.to_thread(pair.new.promote)
        await asyncio.to_thread(pair.old.pause)
        relay.target_port = pair.new.port
        assert await version(store) == 1
        await committed(store, "bob")
        assert await version(store) == 2


async def test_of_several_hosts_the_primary_is_used_whatever_the_url_asks_for(pair: Pair) -> None:
    hosts = f"127.0.0.1:1,127.0.0.1:{pair.new.port},127.0.0.1:{pair.old.port}"
    options = ("", "&target_session_attrs=read-write", "&target_session_attrs=primary")
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(hosts, option)) for option in options]
        for store in stores:
            await commit(store, submission("ada"))
        await asyncio.to_thread(pair.new.catch_up)
        await asyncio.to_thread(pair.old.demote)
        await asyncio.to_thread(pair.new.promote)
        for newest, store in enumerate(stores, start=4):
            await committed(store, "bob")
            assert await version(store) == newest


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


async def test_a_connection_that_became_read_only_is_replaced_and_the_score_counts(
    migrated_url: str, observer: Observer
) -> None:
    of_the_store = "application_name = 'scoreboard'"
    async with open_postgresql(migrated_url) as store:
        await commit(store, submission("ada"))
        rows = await observer.fetch(f"SELECT pid FROM pg_stat_activity WHERE {of_the_store}")
        pids = ",".join(str(row["pid"]) for row in rows)
        await observer.execute(TAKES_NO_WRITES.format(pids=pids))
        await commit(store, submission("bob"))
        assert [e.version for e in await store.events("main", 0, 10)] == [1, 2]
        await observer.until(0, f"pid IN ({pids})")
