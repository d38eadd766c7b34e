"""Observation of a PostgreSQL database from outside the store, and locks that a test holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from scoreboard.store.migrations import APPLICATION_ID
from tests.limits import LIMIT_SECONDS

PAUSE_SECONDS: Final = 0.02

HOLD_MAIN: Final = f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, key) FROM boards WHERE id = 'main'"
"""Takes the lock of a board, as a commit does."""


async def poll(condition: Callable[[], Awaitable[bool]], seconds: float = LIMIT_SECONDS) -> None:
    """Wait until a condition is true. Pause between two checks, which cost a server's time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # servers have no event to wait for
            await asyncio.sleep(PAUSE_SECONDS)


class Observer:
    """Looks at a database on its own connection. Those of a store have an application name."""

    def __init__(self, url: str, connection: asyncpg.Connection) -> None:
        self._url = url
        self._connection = connection

    async def execute(self, statement: str) -> None:
        await self._connection.execute(statement)

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(query, *values)
        return rows

    async def value(self, query: str) -> Any:
        return await self._connection.fetchval(query)

    async def connections(self, condition: str = "application_name <> ''") -> int:
        """Return the number of connections to the database that meet a condition."""
        counted: int = await self.value(
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
        )
        return counted

    async def until(self, count: int, condition: str) -> None:
        """Wait until this many connections meet a condition."""

        async def is_met() -> bool:
            return await self.connections(condition) == count

        await poll(is_met)

    async def until_waiting(self, count: int) -> None:
        """Wait until this many connections wait for a lock."""
        await self.until(count, "wait_event_type = 'Lock'")

    @asynccontextmanager
    async def holding(self, statement: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
        """Hold the locks of a statement until the end of the block, or until the test lets go of them."""
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(f"BEGIN; {statement}")
            yield lambda: connection.execute("COMMIT")
        finally:
            await connection.close()
