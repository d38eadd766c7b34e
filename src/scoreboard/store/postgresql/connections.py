"""A pool of connections to one PostgreSQL server, with protection against a server that stops answering."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal, NamedTuple, Self, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.errors import (
    CALL_ERRORS,
    ConnectionLost,
    WrongRole,
    is_demoted,
    is_fatal,
    log_unavailable,
    reason,
    was_lost,
)
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
from scoreboard.store.postgresql.server import LEAVE, Server, ServerConnection

T = TypeVar("T")
Access = Literal["write", "read"]


class Transaction(NamedTuple):
    """A transaction, rolled back unless committed, on a connection of SQLAlchemy and its `raw` one.

    Statements of the hot path use the raw connection, to save SQLAlchemy's CPU time for each of them.
    """

    connection: AsyncConnection
    raw: asyncpg.Connection

    async def commit(self) -> None:
        await self.raw.execute("COMMIT")


IDLE_SECONDS: Final = 10.0
"""Idle time after which a connection is checked before its next use: below the limits of firewalls."""

READ_WRITE: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE"


class Connections:
    """A pool of at most `most` connections, opened when they are needed. An async context manager."""

    def __init__(self, server: Server, limits: DatabaseLimits, most: int, access: Access) -> None:
        self._server = server
        self._limits = limits
        self.most = most
        settings = postgresql_database.session_settings(limits, is_for_writing=access == "write")
        self._settings = settings
        # READ COMMITTED, whatever the default is: statements after the lock must see what was committed
        # before it.
        is_write, needs_primary = access == "write", server.needs_primary
        begin = f"BEGIN ISOLATION LEVEL {'READ COMMITTED' if is_write else 'REPEATABLE READ, READ ONLY'}"
        # Behind a pooler, each transaction may run on another server, and sessions keep no settings.
        checks = [LEAVE] if needs_primary else []
        local_settings = [f"SET LOCAL {name} = '{value}'" for name, value in settings.items()]
        self._begin_pooled = "; ".join([begin, *checks, *local_settings])
        # A standby refuses READ WRITE.
        self._begin = begin if is_write or not needs_primary else f"{READ_WRITE}; SET TRANSACTION READ ONLY"

    async def __aenter__(self) -> Self:
        self._engine = postgresql_database.open_engine(
            self._server, self._limits, self._settings, connections=self.most, isolation="AUTOCOMMIT"
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await postgresql_database.dispose(self._engine, self._limits)

    @property
    def used(self) -> int:
        """The number of connections in use. From any thread."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Run a function in a transaction, with a retry on another connection if one was lost.

        Raises StoreUnavailable.
        """
        try:
            return await self.attempt(work, *args)
        except CALL_ERRORS as error:
            raise log_unavailable(error) from error

    async def attempt(self, work: Callable[..., T], *args: object) -> T:
        """Do the same, but raise one of `CALL_ERRORS`."""
        lost = 0
        while True:
            try:
                async with self.transaction() as transaction:
                    result = await transaction.connection.run_sync(work, *args)
                    await transaction.commit()
                    return result
            except CALL_ERRORS as error:
                lost += 1
                if lost > self._limits.connections or not was_lost(error):
                    raise

    @asynccontextmanager
    async def transaction(self, first: str = "") -> AsyncIterator[Transaction]:
        """Open a transaction. It is rolled back unless it is committed.

        `first` is sent with the BEGIN. Both bypass SQLAlchemy, whose connection is in autocommit.
        """
        async with self._connected() as (connection, raw):
            try:
                await self._begin_on(raw, first)
                yield Transaction(connection, raw)
            finally:
                await _roll_back(raw)

    async def _begin_on(self, raw: asyncpg.Connection, first: str) -> None:
        begin = self._begin_pooled if self._server.is_pooled else self._begin
        try:
            await raw.execute(f"{begin}; {first}")
        except asyncpg.FeatureNotSupportedError as error:
            raise WrongRole("the server is a standby") from error

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
        """Check out a connection. It is closed if its server does not answer, so its statement fails."""
        async with self._engine.connect() as connection:
            raw = await _driver_connection(connection)
            for _ in range(self.most):
                if not await self._is_lost(raw):
                    break
                raw.terminate()
                await connection.invalidate()
                raw = await _driver_connection(connection)
            self._server.look_at(raw)
            watch = self._server.prober.watch(raw.terminate)
            try:
                yield connection, raw
            except CALL_ERRORS as error:
                if is_demoted(error) or watch.is_cut_off:
                    self._server.renew(reason(error))
                if not (raw.is_closed() or is_fatal(error)):
                    raise
                raw.terminate()
                await connection.invalidate()
                raise ConnectionLost(is_silent=watch.is_cut_off) from error
            finally:
                raw.used_at = asyncio.get_running_loop().time()
                self._server.prober.unwatch(watch)

    async def _is_lost(self, raw: ServerConnection) -> bool:
        """Return True if a connection is closed, outdated, or does not answer after a long idle time.

        A failed ROLLBACK closes it. A firewall may have dropped it without a notice: the prober's own
        connection still answers then.
        """
        if raw.is_closed() or raw.renewals != self._server.renewals:
            return True
        idle_seconds = asyncio.get_running_loop().time() - raw.used_at
        return idle_seconds >= IDLE_SECONDS and await self._server.prober.ask(raw) is not None


async def _driver_connection(connection: AsyncConnection) -> ServerConnection:
    raw = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, ServerConnection)
    return raw


async def _roll_back(raw: asyncpg.Connection) -> None:
    """Roll back, so that no transaction and no lock on a board remains."""
    if raw.is_closed() or not raw.is_in_transaction():
        return
    try:
        await raw.execute("ROLLBACK")
    except CALL_ERRORS:
        # The connection is broken, and its transaction ends with it.
        raw.terminate()
