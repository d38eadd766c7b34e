"""The store on PostgreSQL 15 or newer: the truth that many processes share.

A turn is four short round trips: lock, facts, append, COMMIT. Nothing else happens between lock and COMMIT, since every
process waits for it. Two things end a turn from outside. The server cuts off a process that stops while it holds a
board (`idle_in_transaction_session_timeout`). And this process cuts off a server that has fallen silent: while a
statement takes long, it is asked by another connection whether it answers at all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from scoreboard.errors import OutcomeUnknown, StoreUnavailable
from scoreboard.interfaces import Clock, Settle, Settled, Take
from scoreboard.model import Board, Change, Event, Head, RateLimit, Snapshot, Submission
from scoreboard.store import postgresql_database as database
from scoreboard.store import postgresql_statements as statements
from scoreboard.store import reads
from scoreboard.store.postgresql_database import FAILURES, Limits

WRITERS: Final = 2
"""Connections that commit: one does, and a second looks an outcome up should the first be lost."""

TRIES: Final = 20
"""A turn is taken again where a player has moved meanwhile, by a submission on another board. Each time somebody else
has got on, so even the second try is rare."""

T = TypeVar("T")

log = structlog.get_logger()


class _Moved(Exception):
    """Raised when a player's `seq` has moved since the facts were read."""


@dataclass(slots=True)
class _Turn:
    """What has become of a commit so far."""

    boards: Sequence[int]
    take: Take
    settle: Settle
    batch: Sequence[Submission] | None = None
    settled: Settled = field(default_factory=lambda: Settled((), (), ()))
    is_committing: bool = False


class PostgresqlStore:
    """`interfaces.Store` on a PostgreSQL database of this program's schema.

    Without a clock of the caller's, time is the database's: one clock for all processes.
    """

    def __init__(self, url: str, *, limit: RateLimit, clock: Clock | None, limits: Limits) -> None:
        self._url = url
        self._limit = limit
        self._clock = clock
        self._limits = limits
        self._board_keys: Mapping[str, int] = {}

    async def __aenter__(self) -> Self:
        """Raises SchemaError where the database has another schema, StartError where it cannot be reached."""
        await database.check(self._url)
        readers = max(1, self._limits.connections - WRITERS)
        self._writer = database.open_engine(self._url, self._limits, connections=WRITERS, writes=True)
        self._reader = database.open_engine(self._url, self._limits, connections=readers, writes=False)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._writer.dispose()
        await self._reader.dispose()

    async def ensure(self, boards: Sequence[Board]) -> None:
        self._board_keys = await self._run(self._writer, lambda connection: reads.ensure(connection, boards))

    async def commit(self, boards: Collection[str], take: Take, settle: Settle) -> Settled:
        turn = _Turn([self._board_keys[board] for board in boards], take, settle)
        for number in range(1, TRIES + 1):
            try:
                await self._try(turn)
            except _Moved:
                continue
            except FAILURES as error:
                if turn.is_committing:
                    return await self._look_up(turn, error)
                # Nothing was committed. A connection may have died unnoticed since the last turn: a new one tells.
                if number > 1 or not _is_lost(error):
                    raise _unavailable(error) from error
            else:
                return turn.settled
        raise StoreUnavailable

    async def _try(self, turn: _Turn) -> None:
        async with self._connected(self._writer) as connection:
            await statements.lock(connection, turn.boards)
            if turn.batch is None:
                turn.batch = turn.take()
            if not turn.batch:
                return
            clock_us = None if self._clock is None else self._clock.now_us()
            facts = await statements.read_facts(connection, turn.batch, self._board_keys, self._limit.count, clock_us)
            turn.settled = turn.settle(turn.batch, facts)
            if not turn.settled.events:
                return
            try:
                is_whole = await statements.append(connection, turn.settled, self._board_keys)
            except IntegrityError as error:
                # Somebody new has come into being meanwhile, by a submission on another board.
                raise _Moved from error
            if not is_whole:
                raise _Moved
            turn.is_committing = True
            await connection.commit()

    async def _look_up(self, turn: _Turn, error: BaseException) -> Settled:
        """Whether a commit whose answer was lost has happened. Raises StoreUnavailable, OutcomeUnknown."""
        try:
            async with self._connected(self._writer) as connection:
                # Once the boards can be had, that transaction has ended, one way or the other.
                await statements.lock(connection, turn.boards)
                if await statements.is_in_ledger(connection, turn.settled.events[0], self._board_keys):
                    return turn.settled
        except FAILURES as second:
            log.warning("the outcome of a commit is unknown", reason=_reason(error), submissions=len(turn.batch or ()))
            raise OutcomeUnknown from second
        raise _unavailable(error) from error

    async def heads(self) -> Mapping[str, Head]:
        return await self._run(self._reader, reads.heads)

    async def changes(self, board: str, after: int, limit: int) -> Change:
        return await self._run(self._reader, lambda connection: reads.changes(connection, board, after, limit))

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        return await self._run(self._reader, lambda connection: reads.page(connection, board, limit, offset))

    async def events(self, board: str, after: int, limit: int) -> Sequence[Event]:
        return await self._run(self._reader, lambda connection: reads.events(connection, board, after, limit))

    async def _run(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        try:
            async with self._connected(engine) as connection:
                result = await connection.run_sync(work)
                await connection.commit()
                return result
        except FAILURES as error:
            raise _unavailable(error) from error

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection, which is cut off as soon as its server is silent: whoever waits for it then fails at once."""
        async with engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            watching = asyncio.create_task(self._cut_off_when_silent(raw.terminate))
            try:
                yield connection
            finally:
                watching.cancel()

    async def _cut_off_when_silent(self, cut_off: Callable[[], None]) -> None:
        patience_seconds = self._limits.silence_seconds / 2
        while True:
            await asyncio.sleep(patience_seconds)
            if not await database.is_alive(self._url, patience_seconds):
                cut_off()
                return


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error) or type(error).__name__


def _unavailable(error: BaseException) -> StoreUnavailable:
    """The sender is told to come back, and the log says why."""
    log.error("the database failed", reason=_reason(error))
    return StoreUnavailable()
