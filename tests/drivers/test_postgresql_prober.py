"""The prober does not interrupt slow statements of a server that answers, and takes one connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from scoreboard.domain.standings import Snapshot
from scoreboard.store.postgresql.postgresql_database import Limits, open_server
from scoreboard.store.postgresql.prober import APPLICATION_NAME, Prober
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.limits import LIMIT_SECONDS, PATIENT_POSTGRESQL
from tests.making import MAIN, SIDE, UNLIMITED, commit, submission
from tests.relay import Relay
from tests.service import until

SLOW = 50
FEW = replace(PATIENT_POSTGRESQL, connections=3, silence_seconds=2)
MANY = replace(FEW, connections=SLOW + 2)
QUESTIONS = 8
"""The number of queries after which a test is sure that no connection is closed: two silence limits."""


class Observer:
    """Observes the server's connections, and makes statements slow."""

    def __init__(self, looking: asyncpg.Connection, holding: asyncpg.Connection) -> None:
        self._looking = looking
        self._holding = holding

    @asynccontextmanager
    async def holding_standings(self) -> AsyncIterator[None]:
        async with self._holding.transaction():
            await self._holding.execute("LOCK TABLE standings")
            yield

    async def let_go(self) -> None:
        await self._holding.execute("COMMIT; BEGIN")

    async def execute(self, statement: str) -> None:
        await self._looking.execute(statement)

    async def connections(self) -> int:
        """Return the number of connections, without the observer's own."""
        counted: int = await self._looking.fetchval(
            "SELECT count(*) - 2 FROM pg_stat_activity WHERE datname = current_database() AND "
            "client_port IS NOT NULL"
        )
        return counted

    async def until(self, condition: str, count: int) -> None:
        """Wait until `count` connections are in a state."""
        counting = f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
        async with asyncio.timeout(LIMIT_SECONDS):
            while await self._looking.fetchval(counting) < count:
                pass

    async def until_asked(self, times: int = QUESTIONS) -> int:
        """Wait until the prober has made this many queries. Return the highest number of connections."""
        asked: set[datetime] = set()
        most = 0
        async with asyncio.timeout(LIMIT_SECONDS):
            while len(asked) < times:
                newest = (
                    "SELECT query_start FROM pg_stat_activity WHERE application_name = $1 AND query "
                    "= 'SELECT 1'"
                )
                asked |= {row["query_start"] for row in await self._looking.fetch(newest, APPLICATION_NAME)}
                most = max(most, await self.connections())
        return most


@pytest.fixture
async def observer(migrated_url: str) -> AsyncIterator[Observer]:
    looking, holding = [await asyncpg.connect(migrated_url) for _ in range(2)]
    yield Observer(looking, holding)
    await looking.close()
    await holding.close()


@asynccontextmanager
async def opened(url: str, limits: Limits) -> AsyncIterator[PostgresqlStore]:
    # A slow machine may need long for fifty connections.
    async with PostgresqlStore(
        f"{url}?connect_timeout=30", limit=UNLIMITED, clock=None, limits=limits
    ) as store:
        await store.register_boards([MAIN, SIDE])
        await commit(store, submission("ada"))
        yield store


async def pages(store: PostgresqlStore, count: int) -> list[Snapshot]:
    return await asyncio.gather(*(store.page("main", 10, 0) for _ in range(count)))


async def test_fifty_slow_statements_take_one_more_connection_and_all_are_answered(
    migrated_url: str, observer: Observer
) -> None:
    async with opened(migrated_url, MANY) as store, observer.holding_standings():
        reading = asyncio.create_task(pages(store, SLOW))
        await observer.until("wait_event_type = 'Lock'", SLOW)
        # One for the writes, and one for the prober.
        assert await observer.until_asked() <= SLOW + 2
        await observer.let_go()
        assert [page.players for page in await asyncio.wait_for(reading, LIMIT_SECONDS)] == [1] * SLOW


async def test_a_slow_statement_is_answered_although_connecting_takes_long(
    migrated_url: str, observer: Observer
) -> None:
    async with Relay(urlsplit(migrated_url).port or 5432) as relay:
        through = migrated_url.replace(f":{urlsplit(migrated_url).port}/", f":{relay.port}/")
        async with opened(through, FEW) as store, observer.holding_standings():
            await observer.until(f"application_name = '{APPLICATION_NAME}'", 1)
            reading = asyncio.create_task(store.page("main", 10, 0))
            await observer.until("wait_event_type = 'Lock'", 1)
            relay.admits.clear()
            await observer.until_asked()
            await observer.let_go()
            assert (await asyncio.wait_for(reading, LIMIT_SECONDS)).players == 1


def opened_prober(url: str, silence_seconds: float) -> Prober:
    return open_server(url, replace(FEW, silence_seconds=silence_seconds)).prober


@pytest.fixture
async def full(observer: Observer) -> AsyncIterator[str]:
    """Create a user that may have no connections."""
    name = f"full_{uuid4().hex}"
    await observer.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0")
    yield name
    await observer.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("error", ["too many connections", "no such user", "no such database"])
async def test_a_server_that_refuses_connections_counts_as_answering(
    migrated_url: str, full: str, error: str
) -> None:
    address = urlsplit(migrated_url)
    user = {"too many connections": full, "no such user": "unknown"}.get(error, address.username)
    database = "unknown" if error == "no such database" else address.path.strip("/")
    async with (
        Relay(address.port or 5432) as relay,
        opened_prober(f"postgresql://{user}@127.0.0.1:{relay.port}/{database}", 2) as prober,
    ):
        watch = prober.watch(pytest.fail)
        await until(lambda: relay.accepted >= QUESTIONS)
        assert not watch.is_cut_off


@pytest.mark.parametrize("way", ["silent", "refusing"])
async def test_connections_to_a_server_that_does_not_answer_are_closed(migrated_url: str, way: str) -> None:
    async with Relay(urlsplit(migrated_url).port or 5432) as relay:
        relay.is_refusing = way == "refusing"
        if way == "silent":
            relay.passes.clear()
        through = migrated_url.replace(f":{urlsplit(migrated_url).port}/", f":{relay.port}/")
        async with opened_prober(through, 0.2) as prober:
            is_cut_off = asyncio.Event()
            watch = prober.watch(is_cut_off.set)
            await asyncio.wait_for(is_cut_off.wait(), LIMIT_SECONDS)
            assert watch.is_cut_off
