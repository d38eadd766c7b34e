"""Stores that a test opens, on files and databases with this program's schema."""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from scoreboard.domain.boards import Board
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.ports.clock import Clock
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
from scoreboard.store.postgresql.store import PostgresqlStore
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.limits import PATIENT_POSTGRESQL
from tests.making import MAIN, SIDE, UNLIMITED

BOTH = (MAIN, SIDE)


def migrated_file(path: Path) -> Path:
    """Create a SQLite file with the newest schema. A copy takes a hundredth of the time of a migration."""
    shutil.copy(_empty_file(), path)
    return path


@cache
def _empty_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="scoreboard-tests-"))
    atexit.register(shutil.rmtree, folder)
    sqlite_file.migrate(folder / "empty.db")
    return folder / "empty.db"


def execute(path: Path, *statements: str) -> None:
    """Run statements on a SQLite file, without a store."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def statements_of(target: Connection | Engine) -> list[tuple[str, Any]]:
    """Return a list to which each statement is added, with its parameters, when it is executed."""
    executed: list[tuple[str, Any]] = []

    @event.listens_for(target, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        executed.append((statement, parameters))

    return executed


@asynccontextmanager
async def open_sqlite(
    path: Path, clock: Clock | None = None, *, limit: RateLimit = UNLIMITED, boards: Sequence[Board] = BOTH
) -> AsyncIterator[SqliteStore]:
    """Open a store on a migrated file, with its boards registered."""
    async with SqliteStore(path, limit=limit, clock=clock or HeldClock()) as store:
        await store.register_boards(boards)
        yield store


@asynccontextmanager
async def open_postgresql(
    url: str,
    limits: DatabaseLimits = PATIENT_POSTGRESQL,
    *,
    clock: Clock | None = None,
    limit: RateLimit = UNLIMITED,
    boards: Sequence[Board] = BOTH,
    replica_url: str | None = None,
) -> AsyncIterator[PostgresqlStore]:
    """Open a store on a migrated database, with its boards registered. The default clock is the server's."""
    store = PostgresqlStore(url, limit=limit, clock=clock, limits=limits, replica_url=replica_url)
    async with store:
        await store.register_boards(boards)
        yield store
