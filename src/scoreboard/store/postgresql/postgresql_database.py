"""A PostgreSQL database that is ours: reaching it, recognising it, migrating it."""

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
from scoreboard.settings.postgresql_url import parse_address
from scoreboard.store import schema
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql.errors import FAILURES
from scoreboard.store.postgresql.server import Server

OLDEST: Final = 150_000
"""PostgreSQL 15, as the server says it (`server_version_num`)."""

CONNECT_SECONDS: Final = 10.0
"""For a command that somebody waits for. A server has less patience: its setting says how much."""


T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be, and how long what is waited for."""

    connections: int
    silence_seconds: float
    lock_seconds: float
    statement_seconds: float
    idle_in_transaction_seconds: float = 1.0
    """A process that stops while it holds a board is cut off after this time, and the others go on."""


Isolation = Literal["AUTOCOMMIT", "READ COMMITTED"]


def session_settings(limits: Limits, *, is_for_writing: bool) -> dict[str, str]:
    """Return the session parameters that enforce the time limits of statements."""
    settings = {
        # Compiling a plan costs more than it could save.
        "jit": "off",
        "statement_timeout": _ms(limits.statement_seconds),
        "lock_timeout": _ms(limits.lock_seconds),
        "idle_in_transaction_session_timeout": _ms(limits.idle_in_transaction_seconds),
    }
    if is_for_writing:
        # What a commit asks are look-ups by index, whatever the tables were like when it was planned.
        settings |= {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
    return settings


def open_engine(
    server: Server, limits: Limits, settings: Mapping[str, str], *, connections: int, isolation: Isolation
) -> AsyncEngine:
    """Create an engine whose connections enforce the time limits."""

    async def connect() -> asyncpg.Connection:
        # Later than the server's own limits, in case the server is silent.
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


async def dispose(engine: AsyncEngine, limits: Limits) -> None:
    """Say goodbye to a server that listens; one that is silent is left."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limits.silence_seconds):
            await engine.dispose()


def _ms(seconds: float) -> str:
    return str(round(seconds * 1_000))


def open_server(url: str, limits: Limits, *, is_replica: bool = False) -> Server:
    """Raise StartError if the URL is not usable."""
    try:
        address = parse_address(url, is_replica=is_replica)
    except ValueError as error:
        raise StartError(f"The database's URL {error}.") from None
    return Server(address, silence_seconds=limits.silence_seconds, busy_seconds=limits.lock_seconds)


def address_of(url: str) -> str:
    """Which database a URL names, without who may enter it."""
    return str(parse_address(url))


def migrate(url: str) -> tuple[str | None, str]:
    """Make the tables, or bring them to this program's schema; say from which revision to which.

    Of several processes that migrate at once, one does it. Raises SchemaError where the schema is too new or another
    program's, StartError where the database cannot be reached or is too old.
    """

    def work(connection: Connection) -> tuple[str | None, str]:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, 0)"))
        _check_ours(connection, url)
        return schema.migrate(connection)

    return asyncio.run(_once(url, work))


async def check(url: str) -> None:
    """Raises SchemaError, with what to do, where the database does not have this program's schema."""

    def work(connection: Connection) -> None:
        if schema.current_revision(connection) is None:
            _check_ours(connection, url)
            raise SchemaError(f"The database {address_of(url)} is empty: run “scoreboard migrate”.")
        schema.check(connection)

    await _once(url, work)


def _check_ours(connection: Connection, url: str) -> None:
    """A database with tables of somebody else is left alone."""
    if schema.current_revision(connection) is None:
        taken = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
        if taken.scalar_one():
            raise SchemaError(
                f"{address_of(url)} has tables of another program: set SCOREBOARD_DATABASE_URL to a new one."
            )


async def _once(url: str, work: Callable[[Connection], T]) -> T:
    """Do something in one transaction on a connection of its own."""
    patient = Limits(1, CONNECT_SECONDS, 600, 3_600, 600)
    settings = session_settings(patient, is_for_writing=False)
    engine = open_engine(
        open_server(url, patient), patient, settings, connections=1, isolation="READ COMMITTED"
    )
    try:
        async with engine.begin() as connection:
            await _check_server(connection, url)
            return await connection.run_sync(work)
    except FAILURES as error:
        raise _unreachable(url, error) from error
    finally:
        await dispose(engine, patient)


async def _check_server(connection: AsyncConnection, url: str) -> None:
    found = await connection.execute(
        text(
            "SELECT current_setting('server_version_num'), current_setting('server_encoding'), "
            "current_setting('synchronous_commit')"
        )
    )
    version, encoding, synchronous_commit = found.one()
    if int(version) < OLDEST:
        raise StartError(f"The server at {address_of(url)} is too old: PostgreSQL 15 or newer is needed.")
    if encoding != "UTF8":
        raise StartError(
            f"The database {address_of(url)} has the encoding {encoding}: make one with ENCODING 'UTF8'."
        )
    if synchronous_commit == "off":
        log.warning(
            "the database acknowledges what it may lose: set synchronous_commit on", database=address_of(url)
        )


def _unreachable(url: str, error: BaseException) -> StartError:
    reason = str(getattr(error, "orig", None) or error).split("\n")[0] or type(error).__name__
    return StartError(
        f"The database {address_of(url)} cannot be used ({reason}): check SCOREBOARD_DATABASE_URL."
    )
