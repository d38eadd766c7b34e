"""Stores of each driver on the test's database."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from scoreboard.domain.rate_limit import RateLimit
from scoreboard.ports.admin_store import AdminStore
from scoreboard.store.postgresql.store import PostgresqlStore
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.limits import PATIENT_POSTGRESQL
from tests.making import MAIN, SIDE, UNLIMITED
from tests.servers.postgresql import apart

BOTH: Final = {"main", "side"}

MakeStore = Callable[..., AdminStore]
OpenStore = Callable[..., Awaitable[AdminStore]]
Query = Callable[[str], list[tuple[Any, ...]]]


DRIVERS: Final = ("sqlite", "postgresql")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=DRIVERS)
def make_store(request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock) -> MakeStore:
    """Creates any number of stores on the test's database. Each one stands for another process."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        sqlite_file.migrate(path)
    else:
        url = request.getfixturevalue("migrated_url")

    def make(limit: RateLimit = UNLIMITED) -> AdminStore:
        if request.param == "sqlite":
            return SqliteStore(path, limit=limit, clock=clock)
        return PostgresqlStore(url, limit=limit, clock=clock, limits=PATIENT_POSTGRESQL)

    return make


@pytest.fixture
def query(request: pytest.FixtureRequest, make_store: MakeStore, tmp_path: Path) -> Query:
    """Runs a statement in the test's database, without the store."""
    if "sqlite" in request.node.callspec.id:

        def in_file(statement: str) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(tmp_path / "store.db")) as connection, connection:
                return connection.execute(statement).fetchall()

        return in_file
    url = request.getfixturevalue("migrated_url")

    async def on_server(statement: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return lambda statement: apart(on_server(statement))


@pytest.fixture
async def open_store(make_store: MakeStore) -> AsyncIterator[OpenStore]:
    async with AsyncExitStack() as stack:

        async def open_one(limit: RateLimit = UNLIMITED) -> AdminStore:
            store = await stack.enter_async_context(make_store(limit))
            await store.register_boards([MAIN, SIDE])
            return store

        yield open_one


@pytest.fixture
async def store(open_store: OpenStore) -> AdminStore:
    return await open_store()
