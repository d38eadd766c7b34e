"""Stores of each driver on the test's database."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from scoreboard.ports.admin_store import AdminStore
from tests.clocks import HeldClock
from tests.servers.postgresql import Postgres
from tests.stores import migrated_file, open_postgresql, open_sqlite

BOTH: Final = {"main", "side"}

OpenProcess = Callable[..., AbstractAsyncContextManager[AdminStore]]
OpenStore = Callable[..., Awaitable[AdminStore]]
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_process(
    driver: str, request: pytest.FixtureRequest, tmp_path: Path, clock: HeldClock
) -> OpenProcess:
    """Opens any number of stores on the test's database. Each one stands for another process."""
    if driver == "sqlite":
        return partial(open_sqlite, migrated_file(tmp_path / "store.db"), clock)
    return partial(open_postgresql, request.getfixturevalue("migrated_url"), clock=clock)


@pytest.fixture
def query(driver: str, open_process: OpenProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Query:
    """Runs a statement in the test's database, without the store."""
    if driver == "sqlite":

        def in_file(statement: str) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(tmp_path / "store.db")) as connection, connection:
                return connection.execute(statement).fetchall()

        return in_file
    database = Postgres(request.getfixturevalue("migrated_url"))
    return lambda statement: [tuple(row) for row in database.sql(statement)]


@pytest.fixture
async def open_store(open_process: OpenProcess) -> AsyncIterator[OpenStore]:
    """Opens stores that stay open until the end of the test."""
    async with AsyncExitStack() as stack:
        yield lambda **given: stack.enter_async_context(open_process(**given))


@pytest.fixture
async def store(open_store: OpenStore) -> AdminStore:
    return await open_store()
