"""The prober does not interrupt slow statements of a server that answers, and takes one connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Snapshot
from scoreboard.store.postgresql import connections
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits, make_server
from scoreboard.store.postgresql.prober import APPLICATION_NAME, Prober
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.drivers.observer import Observer, poll
from tests.limits import LIMIT_SECONDS, PATIENT_POSTGRESQL
from tests.making import commit, submission
from tests.relay import Relay
from tests.service import until
from tests.stores import open_postgresql

SLOW = 50
FEW = replace(PATIENT_POSTGRESQL, connections=3, silence_seconds=2)
MANY = replace(FEW, connections=SLOW + 2)
QUESTIONS = 8
"""The number of queries after which a test is sure that no connection is closed: two silence limits."""


LOCK = "LOCK TABLE standings"
PROBER = f"application_name = '{APPLICATION_NAME}'"


async def until_asked(observer: Observer, times: int = QUESTIONS) -> int:
    """Wait until the prober has made this many queries. Return the highest number of connections."""
    asked: set[datetime] = set()
    most = 0

    async def has_asked() -> bool:
        nonlocal most, asked
        newest = f"SELECT query_start FROM pg_stat_activity WHERE {PROBER} AND query = 'SELECT 1'"
        asked |= {row["query_start"] for row in await observer.fetch(newest)}
        most = max(most, await observer.connections())
        return len(asked) >= times

    await poll(has_asked)
    return most


@asynccontextmanager
async def opened(url: str, limits: DatabaseLimits) -> AsyncIterator[PostgresqlStore]:
    # A slow machine may need long for fifty connections.
    async with open_postgresql(f"{url}?connect_timeout=30", limits) as store:
        await commit(store, submission("ada"))
        yield store


async def pages(store: PostgresqlStore, count: int) -> list[Snapshot]:
    return await asyncio.gather(*(store.read("main", ALL_TIME, Page(10)) for _ in range(count)))


async def test_fifty_slow_statements_take_one_more_connection_and_all_are_answered(
    migrated_url: str, observer: Observer
) -> None:
    async with opened(migrated_url, MANY) as store, observer.holding(LOCK) as let_go:
        reading = asyncio.create_task(pages(store, SLOW))
        await observer.until_waiting(SLOW)
        # One for the writes, and one for the prober.
        assert await until_asked(observer) <= SLOW + 2
        await let_go()
        assert [page.players for page in await asyncio.wait_for(reading, LIMIT_SECONDS)] == [1] * SLOW


async def test_a_slow_statement_is_answered_although_connecting_takes_long(
    migrated_url: str, observer: Observer
) -> None:
    async with (
        Relay.to(migrated_url) as relay,
        opened(relay.through(migrated_url), FEW) as store,
        observer.holding(LOCK) as let_go,
    ):
        await observer.until(1, PROBER)
        reading = asyncio.create_task(store.read("main", ALL_TIME, Page(10)))
        await observer.until_waiting(1)
        relay.admits.clear()
        await until_asked(observer)
        await let_go()
        assert (await asyncio.wait_for(reading, LIMIT_SECONDS)).players == 1


async def test_an_idle_connection_that_a_firewall_has_dropped_is_replaced(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other connections to the same server still get answers."""
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    async with Relay.to(migrated_url) as relay, opened(relay.through(migrated_url), FEW) as store:
        relay.deaf_after = b"COMMIT"
        await commit(store, submission("bob"))
        async with asyncio.timeout(LIMIT_SECONDS):
            await commit(store, submission("cyd"))
        assert (await store.heads())["main"].version == 3


def opened_prober(url: str, silence_seconds: float) -> Prober:
    return make_server(url, replace(FEW, silence_seconds=silence_seconds)).prober


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
        Relay.to(migrated_url) as relay,
        opened_prober(f"postgresql://{user}@127.0.0.1:{relay.port}/{database}", 2) as prober,
    ):
        watch = prober.watch(pytest.fail)
        await until(lambda: relay.accepted >= QUESTIONS)
        assert not watch.is_cut_off


@pytest.mark.parametrize("way", ["silent", "refusing"])
async def test_connections_to_a_server_that_does_not_answer_are_closed(migrated_url: str, way: str) -> None:
    async with Relay.to(migrated_url) as relay:
        relay.is_refusing = way == "refusing"
        if way == "silent":
            relay.passes.clear()
        async with opened_prober(relay.through(migrated_url), 0.2) as prober:
            is_cut_off = asyncio.Event()
            watch = prober.watch(is_cut_off.set)
            await asyncio.wait_for(is_cut_off.wait(), LIMIT_SECONDS)
            assert watch.is_cut_off
