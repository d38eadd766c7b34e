"""The store on a SQLite file: one thread writes, others read on connections that can only read.

No statement runs on the event loop. The file's write lock (`BEGIN IMMEDIATE`) is the lock of all boards, also
among several processes that write to the same file.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from scoreboard.domain.administration import Correction, DecideCorrection
from scoreboard.domain.boards import Board
from scoreboard.domain.decisions import NO_DECISION, Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import OutcomeUnknown, StoreUnavailable
from scoreboard.domain.events import EventKind
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.ports.clock import Clock
from scoreboard.ports.store import DecideBatch, Take
from scoreboard.store.administration.corrections import correct_and_append
from scoreboard.store.boards import register_boards, write_nothing
from scoreboard.store.facts import check_first_events, idle_boards
from scoreboard.store.rejected_content import ContentRejected
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.facts import read_facts
from scoreboard.store.sqlite.ledger import append, is_in_ledger
from scoreboard.store.store_reads import StoreReads

READERS: Final = 2
"""Reads are rare: healing, pages while the ranking is not available, and `verify`."""

T = TypeVar("T")

log = structlog.get_logger()


class SqliteStore(StoreReads):
    """`ports.Store` and `ports.AdminStore` on a SQLite file with this program's schema."""

    def __init__(self, path: Path, *, limit: RateLimit, clock: Clock) -> None:
        self._path = path
        self._limit = limit
        self._clock = clock
        self._stack = AsyncExitStack()
        self._has_write_failed = False
        self._definitions: Mapping[str, Definition] = {}
        """The definitions of the boards that this process registered."""

    async def __aenter__(self) -> Self:
        """Raises SchemaError if the file is not a scoreboard database with this program's schema."""
        await asyncio.to_thread(sqlite_file.check, self._path)
        self._writer = self._open("write", 1)
        self._reader = self._open("read", READERS)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    def _open(self, access: sqlite_file.Access, threads: int) -> tuple[Engine, ThreadPoolExecutor]:
        engine = sqlite_file.open_engine(self._path, access, threads)
        executor = ThreadPoolExecutor(threads, thread_name_prefix=f"sqlite-{access}")
        self._stack.callback(engine.dispose)
        self._stack.push_async_callback(asyncio.to_thread, executor.shutdown)
        return engine, executor

    async def register_boards(self, boards: Sequence[Board]) -> None:
        await self._run(self._writer, lambda connection: register_boards(connection, boards))
        self._definitions = {board.id: board.definition for board in boards}

    async def commit(self, boards: Collection[str], take: Take, decide_batch: DecideBatch) -> Decision:
        # The file's write lock is the lock of all boards.
        def write(connection: Connection) -> Decision:
            batch = take()
            idle = idle_boards(boards, batch, self._definitions)
            if not batch and not idle:
                return NO_DECISION
            facts, board_keys = read_facts(
                connection, batch, idle, self._definitions, self._limit.count, self._clock.now_us()
            )
            check_first_events(connection, facts, self._definitions)
            decision = decide_batch(batch, facts)
            if decision.events:
                append(connection, decision, board_keys, self._definitions)
            return decision

        engine, executor = self._writer
        return await asyncio.get_running_loop().run_in_executor(executor, self._commit, engine, write)

    async def correct(self, correction: Correction, decide: DecideCorrection) -> Decision:
        engine, executor = self._writer

        def write(connection: Connection) -> Decision:
            # For an erasure, SQLite overwrites deleted data with zeros.
            connection.exec_driver_sql(f"PRAGMA secure_delete = {int(correction.kind is EventKind.ERASE)}")
            return correct_and_append(connection, correction, decide, self._clock.now_us())

        return await asyncio.get_running_loop().run_in_executor(executor, self._commit, engine, write)

    def reconnect(self) -> None:
        """Do nothing: a file has no other server to reconnect to."""

    async def check_writes(self) -> None:
        if self._has_write_failed:
            await self._run(self._writer, write_nothing)
            self._has_write_failed = False

    async def _read(self, work: Callable[..., T], *args: object) -> T:
        return await self._run(self._reader, lambda connection: work(connection, *args))

    async def _run(self, side: tuple[Engine, ThreadPoolExecutor], work: Callable[[Connection], T]) -> T:
        engine, executor = side

        def transact() -> T:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                raise _unavailable(error) from error

        return await asyncio.get_running_loop().run_in_executor(executor, transact)

    def _commit(self, engine: Engine, write: Callable[[Connection], Decision]) -> Decision:
        decision = NO_DECISION
        try:
            with engine.begin() as connection:
                decision = write(connection)
        except DBAPIError as error:
            self._has_write_failed = not _is_of_content(error)
            if not self._is_in_ledger(engine, decision):
                raise _failed(error) from None
        else:
            self._has_write_failed = False
        return decision

    def _is_in_ledger(self, engine: Engine, decision: Decision) -> bool:
        """Return True if a commit that failed with an error was written anyway. Raises OutcomeUnknown."""
        if not decision.events:
            return False
        try:
            with engine.begin() as connection:
                return is_in_ledger(connection, decision.events[0])
        except DBAPIError as error:
            raise OutcomeUnknown from error


_OF_CONTENT: Final = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
    }
)
"""Result codes caused by a row or a statement, not by the state of the file."""


def _failed(error: DBAPIError) -> StoreUnavailable | ContentRejected:
    """Return the exception to raise for a transaction that was not committed."""
    return ContentRejected(str(error.orig)) if _is_of_content(error) else _unavailable(error)


def _is_of_content(error: DBAPIError) -> bool:
    # The lowest byte is the primary code: https://www.sqlite.org/rescode.html
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _OF_CONTENT


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    """Log the error, and return the exception that asks the client to retry."""
    log.error("the database failed", reason=str(error.orig))
    return StoreUnavailable()
