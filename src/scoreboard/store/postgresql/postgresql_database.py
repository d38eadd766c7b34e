"""The PostgreSQL database: connecting to it, checking that it is a scoreboard database, and migrating it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import asyncpg
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from scoreboard.domain.errors import SchemaError, StartError
from scoreboard.ports.progress import Report, ignore
from scoreboard.settings.postgresql_url import parse_address
from scoreboard.store import schema
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql.errors import CALL_ERRORS
from scoreboard.store.postgresql.server import Server

OLDEST: Final = 150_000
"""PostgreSQL 15, in the format of `server_version_num`."""

CONNECT_SECONDS: Final = 10.0
"""Time limit of commands such as `scoreboard migrate`. A server uses the shorter one of its settings."""


T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """The number of connections, and the time limits of what they wait for."""

    connections: int
    silence_seconds: float
    lock_seconds: float
    statement_seconds: float
    idle_in_transaction_seconds: float = 1.0
    """After this time, the server ends the transaction of a stopped process that holds a lock."""


Isolation = Literal["AUTOCOMMIT", "READ COMMITTED"]


def session_settings(limits: DatabaseLimits, *, is_for_writing: bool) -> dict[str, str]:
    """Return the session parameters that enforce the time limits of statements."""
    settings = {
        # To compile a plan costs more than it saves.
        "jit": "off",
        "statement_timeout": _ms(limits.statement_seconds),
        "lock_timeout": _ms(limits.lock_seconds),
        "idle_in_transaction_session_timeout": _ms(limits.idle_in_transaction_seconds),
    }
    if is_for_writing:
        # All look-ups of a commit use indexes, even if it was planned while the tables were empty.
        settings |= {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
    return settings


def open_engine(
    server: Server,
    limits: DatabaseLimits,
    settings: Mapping[str, str],
    *,
    connections: int,
    isolation: Isolation,
) -> AsyncEngine:
    """Create an engine whose connections enforce the time limits."""

    async def connect() -> asyncpg.Connection:
        # The limit of a client is longer than those of the server: it is needed only if the server does not
        # answer.
        return await server.connect(settings, command_seconds=limits.lock_seconds + limits.statement_seconds)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        isolation_level=isolation,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=limits.silence_seconds,
        pool_use_lifo=True,
    )


async def dispose(engine: AsyncEngine, limits: DatabaseLimits) -> None:
    """Close the connections. Do not wait for a server that does not answer."""
    pool, until = engine.pool, asyncio.get_running_loop().time() + limits.silence_seconds
    # The engine closes one connection after the other, stops at a time-out, and at the end replaces its pool.
    while engine.pool is pool:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await engine.dispose()


def _ms(seconds: float) -> str:
    return str(round(seconds * 1_000))


def make_server(url: str, limits: DatabaseLimits, *, is_replica: bool = False) -> Server:
    """Raise StartError if the URL is not usable."""
    try:
        address = parse_address(url, is_replica=is_replica)
    except ValueError as error:
        raise StartError(f"The database's URL {error}.") from None
    return Server(address, silence_seconds=limits.silence_seconds, busy_seconds=limits.lock_seconds)


def address_of(url: str) -> str:
    """Return the host and database of a URL, without user and password."""
    return str(parse_address(url))


def migrate(url: str, report: Report = ignore) -> tuple[str | None, str]:
    """Create the tables, or migrate them to this program's schema. Return the revisions before and after.

    If several processes migrate at once, one of them does it. Raises SchemaError if the schema is newer or
    belongs to another program, StartError if the database cannot be reached or the server is too old.
    """

    def work(connection: Connection) -> tuple[str | None, str]:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, 0)"))
        _check_ours(connection, url)
        return schema.migrate(connection, report)

    return asyncio.run(_once(url, work))


async def check(url: str) -> None:
    """Raise SchemaError if the database does not have this program's schema."""

    def work(connection: Connection) -> None:
        if schema.current_revision(connection) is None:
            _check_ours(connection, url)
            raise SchemaError(f"The database {address_of(url)} is empty: run “scoreboard migrate”.")
        schema.check(connection)

    await _once(url, work)


def _check_ours(connection: Connection, url: str) -> None:
    """Raise SchemaError if the database has tables of another program."""
    if schema.current_revision(connection) is None:
        taken = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
        if taken.scalar_one():
            raise SchemaError(
                f"{address_of(url)} has tables of another program: set SCOREBOARD_DATABASE_URL to an "
                "empty database."
            )


async def _once(url: str, work: Callable[[Connection], T]) -> T:
    """Run a function in one transaction on a new connection."""
    patient = DatabaseLimits(1, CONNECT_SECONDS, 600, 3_600, 600)
    settings = session_settings(patient, is_for_writing=False)
    engine = open_engine(
        make_server(url, patient), patient, settings, connections=1, isolation="READ COMMITTED"
    )
    try:
        async with engine.begin() as connection:
            await _check_server(connection, url)
            return await connection.run_sync(work)
    except CALL_ERRORS as error:
        raise _unreachable(url, error) from error
    finally:
        await dispose(engine, patient)


async def _check_server(connection: AsyncConnection, url: str) -> None:
    found = await connection.execute(
        text(
            "SELECT current_setting('server_version_num')::int AS version, "
            "current_setting('server_encoding') AS "
            "encoding, current_setting('synchronous_commit') AS synchronous_commit"
        )
    )
    server = found.one()
    if server.version < OLDEST:
        raise StartError(f"The server at {address_of(url)} is too old: install PostgreSQL 15 or newer.")
    if server.encoding != "UTF8":
        raise StartError(
            f"The database {address_of(url)} has the encoding {server.encoding}: create one with "
            "ENCODING 'UTF8'."
        )
    if server.synchronous_commit == "off":
        log.warning(
            "the database may lose acknowledged scores: set synchronous_commit to on",
            database=address_of(url),
        )


def _unreachable(url: str, error: BaseException) -> StartError:
    reason = str(getattr(error, "orig", None) or error).split("\n")[0] or type(error).__name__
    return StartError(
        f"The database {address_of(url)} cannot be used ({reason}): check SCOREBOARD_DATABASE_URL."
    )
