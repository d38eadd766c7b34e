"""A pool of connections to one PostgreSQL server, none of which waits for a server that has fallen silent."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self, TypeVar

import asyncpg
import structlog
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

from scoreboard.errors import StoreUnavailable
from scoreboard.store import postgresql_database as database
from scoreboard.store.postgresql_database import FAILURES, ConnectionLost, Isolation, Limits
from scoreboard.store.postgresql_prober import Prober

T = TypeVar("T")

log = structlog.get_logger()


class Connections:
    """An async context manager. `most` connections are made as they are needed, and kept."""

    def __init__(self, url: str, limits: Limits, most: int, isolation: Isolation, prober: Prober) -> None:
        self._url = url
        self._prober = prober
        self._limits = limits
        self._isolation: Isolation = isolation
        self.most = most

    async def __aenter__(self) -> Self:
        self._engine = database.open_engine(self._url, self._limits, connections=self.most, isolation=self._isolation)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await database.dispose(self._engine, self._limits)

    @property
    def used(self) -> int:
        """How many are in use. From any thread."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do something in one transaction, again on other connections where some had died. Raises StoreUnavailable."""
        try:
            return await self.attempt(work)
        except FAILURES as error:
            raise unavailable(error) from error

    async def attempt(self, work: Callable[[Connection], T]) -> T:
        """The same, for whoever knows what else to do: raises one of `FAILURES`."""
        lost = 0
        while True:
            try:
                async with self.connected() as (connection, _):
                    result = await connection.run_sync(work)
                    await connection.commit()
                    return result
            except FAILURES as error:
                lost += 1
                if lost > self._limits.connections or not was_dead(error):
                    raise

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
        """A connection, which is cut off as soon as its server is silent: whoever waits for it then fails at once."""
        async with self._engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            watch = self._prober.watch(raw.terminate)
            try:
                yield connection, raw
            except FAILURES as error:
                if not (raw.is_closed() or database.is_fatal(error)):
                    raise
                raw.terminate()
                await connection.invalidate()
                raise ConnectionLost(is_silent=watch.is_cut_off) from error
            finally:
                self._prober.unwatch(watch)


def was_dead(error: BaseException) -> bool:
    """Whether a connection had died, maybe unnoticed since it was last used: then another one may do better.

    To be asked where nothing can have been committed.
    """
    return isinstance(error, ConnectionLost) and not error.is_silent


def reason(error: BaseException) -> str:
    """What has happened, for the log."""
    cause = error.__cause__ if was_dead(error) else None
    # Further lines tell details, in which values may stand.
    return str(cause or getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__


def unavailable(error: BaseException) -> StoreUnavailable:
    """The sender is told to come back, and the log says why."""
    log.error("the database failed", reason=reason(error))
    return StoreUnavailable()
