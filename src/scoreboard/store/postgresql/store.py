"""The store on PostgreSQL 15 or newer: the truth that many processes share.

A turn is four short round trips: lock, facts, append, COMMIT. Nothing else happens between lock and COMMIT, since every
process waits for it. Two things end a turn from outside. The server cuts off a process that stops while it holds a
board (`idle_in_transaction_session_timeout`). And this process cuts off a server that has fallen silent: while a
statement takes long, the prober checks on a separate connection that the server still answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from scoreboard.domain.administration import (
    Correct,
    Correction,
    EventCursor,
    LedgerRecord,
    PlayerStandings,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.domain.boards import Board, RateLimit
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import OutcomeUnknown, StoreUnavailable
from scoreboard.domain.events import Event, Head
from scoreboard.domain.standings import Change, ChangeKind, Snapshot
from scoreboard.domain.submissions import Submission
from scoreboard.ports.clock import Clock
from scoreboard.ports.store import DecideBatch, Take
from scoreboard.store import reads
from scoreboard.store.administration import reads as admin_reads
from scoreboard.store.administration.corrections import correct_and_append
from scoreboard.store.administration.suspects import find_suspects
from scoreboard.store.postgresql import database, statements
from scoreboard.store.postgresql.connections import Commit, Connections
from scoreboard.store.postgresql.database import Limits
from scoreboard.store.postgresql.errors import FAILURES, failed, is_conflict, reason, was_dead
from scoreboard.store.postgresql.replica import Replica
from scoreboard.store.rejected_content import BoardMissing

WRITERS: Final = 2
"""Connections that commit: one does, and a second looks an outcome up should the first be lost."""

TRIES: Final = 20
"""A transaction is retried if another board's submission has changed a player meanwhile. Each time, the other one has
committed, so even a second retry is rare."""

REFUSALS: Final = 4
"""Attempts of these that may fail by a unique index or a deadlock. That is a conflict only if two transactions add
the same player at once. A repeated refusal is a fault in the data."""

T = TypeVar("T")

log = structlog.get_logger()


class _Moved(Exception):
    """Raised when a player's `seq` has moved since the facts were read."""


@dataclass(slots=True)
class _Turn:
    """What is to be written while boards are held, and what has become of it so far."""

    boards: Sequence[int]
    write: Callable[[AsyncConnection], Awaitable[Decision]]
    decision: Decision = field(default_factory=lambda: Decision((), (), ()))
    is_committing: bool = False


class PostgresqlStore:
    """`interfaces.Store` and `AdminStore` on a PostgreSQL database of this program's schema.

    Without a clock of the caller's, time is the database's: one clock for all processes.
    """

    def __init__(
        self,
        url: str,
        *,
        limit: RateLimit,
        clock: Clock | None,
        limits: Limits,
        replica_url: str | None = None,
    ) -> None:
        self._url = url
        self._limit = limit
        self._clock = clock
        self._server = database.open_server(url, limits)
        self._writer = Connections(self._server, limits, WRITERS, "write")
        self._reader = Connections(self._server, limits, limits.connections - WRITERS, "read")
        self._replica_server = None
        self._replica = None
        if replica_url is not None:
            self._replica_server = database.open_server(replica_url, limits, is_replica=True)
            self._replica = Replica(self._replica_server, limits)
        self._board_keys: Mapping[str, int] = {}
        self._heads: Mapping[str, Head] = {}
        self._one_correction = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Raises SchemaError where the database has another schema, StartError where it cannot be reached."""
        await database.check(self._url)
        async with AsyncExitStack() as stack:
            for server in filter(None, (self._server, self._replica_server)):
                await stack.enter_async_context(server.prober)
            for connections in self._connections().values():
                await stack.enter_async_context(connections)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    def _connections(self) -> Mapping[str, Connections]:
        replica = {} if self._replica is None else {"database-replica": self._replica}
        return {"database-writers": self._writer, "database-readers": self._reader, **replica}

    def pools(self) -> Mapping[str, tuple[int, int]]:
        return {name: (pool.used, pool.most) for name, pool in self._connections().items()}

    async def register_boards(self, boards: Sequence[Board]) -> None:
        self._board_keys = await self._writer.run(
            lambda connection: reads.register_boards(connection, boards)
        )

    async def commit(self, boards: Collection[str], take: Take, decide_batch: DecideBatch) -> Decision:
        batch: list[Sequence[Submission]] = []

        async def write(connection: AsyncConnection) -> Decision:
            if not batch:
                batch.append(take())
            return await self._write(connection, batch[0], decide_batch)

        try:
            return await self._commit(_Turn([self._board_keys[board] for board in boards], write))
        except BoardMissing:
            known = self._board_keys
            self._board_keys = {**known, **await self._reader.run(reads.board_keys)}
            if self._board_keys == known:
                raise
        return await self._commit(_Turn([self._board_keys[board] for board in boards], write))

    async def correct(self, correction: Correction, correct: Correct) -> Decision:
        # Also those that a newer instance has made.
        self._board_keys = await self._reader.run(reads.board_keys)

        async def write(connection: AsyncConnection) -> Decision:
            clock_us = await statements.clock_us(connection) if self._clock is None else self._clock.now_us()
            return await connection.run_sync(correct_and_append, correction, correct, clock_us)

        # At most one writer is taken: scores go on by the other one.
        async with self._one_correction:
            return await self._commit(_Turn(list(self._board_keys.values()), write))

    async def _commit(self, turn: _Turn) -> Decision:
        lost = refused = 0
        for _ in range(TRIES):
            try:
                await self._try(turn)
            except _Moved as moved:
                refused += moved.__cause__ is not None
                if moved.__cause__ is not None and refused > REFUSALS:
                    raise failed(moved.__cause__) from None
            except Exception as error:
                if turn.is_committing:
                    return await self._look_up(turn, error)
                if not isinstance(error, FAILURES):
                    raise
                lost += 1
                if lost > WRITERS or not was_dead(error):
                    raise failed(error) from None
            else:
                return turn.decision
        log.error("the database failed", reason=f"players have moved {TRIES} times")
        raise StoreUnavailable

    async def _try(self, turn: _Turn) -> None:
        async with self._turn(turn.boards) as (connection, commit):
            turn.decision = await turn.write(connection)
            # A correction may change a player without an event; a batch without events has changed nothing.
            turn.is_committing = bool(turn.decision.events)
            await commit()

    async def _write(
        self, connection: AsyncConnection, batch: Sequence[Submission], decide_batch: DecideBatch
    ) -> Decision:
        """Raises _Moved."""
        if not batch:
            return Decision((), (), ())
        clock_us = None if self._clock is None else self._clock.now_us()
        facts = await statements.read_facts(connection, batch, self._board_keys, self._limit.count, clock_us)
        decision = decide_batch(batch, facts)
        if not decision.events:
            return decision
        try:
            is_whole = await statements.append(connection, decision, self._board_keys)
        except DBAPIError as error:
            if is_conflict(error):
                raise _Moved from error
            raise
        if not is_whole:
            raise _Moved
        return decision

    def _turn(self, boards: Sequence[int]) -> AbstractAsyncContextManager[tuple[AsyncConnection, Commit]]:
        """Open a transaction that locks boards. BEGIN and lock take one round trip."""
        return self._writer.transaction(statements.lock(boards))

    async def _look_up(self, turn: _Turn, error: BaseException) -> Decision:
        """Whether a commit whose answer was lost has happened. Raises StoreUnavailable, OutcomeUnknown."""
        for number in range(WRITERS + 1):
            try:
                # Once the boards can be had, that transaction has ended, one way or the other.
                async with self._turn(turn.boards) as (connection, _):
                    if await statements.is_in_ledger(connection, turn.decision.events[0], self._board_keys):
                        return turn.decision
                break
            except FAILURES as second:
                if number == WRITERS or not was_dead(second):
                    log.warning("the outcome of a commit is unknown", reason=reason(error))
                    raise OutcomeUnknown from second
        raise failed(error) from None

    async def players(self, search: str, limit: int) -> Sequence[PlayerStandings]:
        return await self._reader.run(lambda connection: admin_reads.players_like(connection, search, limit))

    async def history(self, user_id: str, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        return await self._reader.run(
            lambda connection: admin_reads.history(connection, user_id, before, limit)
        )

    async def corrections(self, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        return await self._reader.run(
            lambda connection: admin_reads.corrections_before(connection, before, limit)
        )

    async def ledger(self, board: str, after: int, limit: int) -> Sequence[LedgerRecord]:
        def work(connection: Connection) -> tuple[Sequence[LedgerRecord], Sequence[Event]]:
            return admin_reads.ledger(connection, board, after, limit), reads.newest(connection, board)

        if self._replica is not None:
            found, newest = await self._replica.ask(work) or ((), ())
            # What a replica does not have yet, the database has.
            if found and await self._has(self._replica, newest):
                return found
        return await self._reader.run(lambda connection: admin_reads.ledger(connection, board, after, limit))

    async def suspects(self, since_us: int, thresholds: SuspicionThresholds, limit: int) -> Sequence[Suspect]:
        def work(connection: Connection) -> tuple[Sequence[Suspect], Sequence[Event]]:
            newest = [event for board in reads.heads(connection) for event in reads.newest(connection, board)]
            return find_suspects(connection, since_us, thresholds, limit), newest

        if self._replica is not None and (answer := await self._replica.ask(work)) is not None:
            found, newest = answer
            if await self._has(self._replica, newest):
                return found
        return await self._reader.run(
            lambda connection: find_suspects(connection, since_us, thresholds, limit)
        )

    def reconnect(self) -> None:
        self._server.renew("the versions of a board differ from those of its copy", pause_seconds=0)

    @property
    def takes_writes(self) -> bool:
        return self._server.takes_writes

    async def heads(self) -> Mapping[str, Head]:
        self._heads = await self._reader.run(reads.heads)
        return self._heads

    async def check_writes(self) -> None:
        """Return at once: a server that cannot write its log terminates, and `heads` detects that."""

    async def changes(self, board: str, after: int, limit: int) -> Change:
        missing = self._heads[board].version - after if board in self._heads else 0
        # A small gap, which another process's commit leaves for a moment, fills no page.
        if self._replica is not None and missing > limit:
            page = await self._full_page(self._replica, board, after, limit)
            if page is not None:
                return page
        return await self._reader.run(lambda connection: reads.changes(connection, board, after, limit))

    async def _full_page(self, replica: Replica, board: str, after: int, limit: int) -> Change | None:
        """A replica's page where it is full: what is newer in the database comes again on a later one.

        Where the pages end, and at which version, only the database knows. It also has to know the replica's newest
        event: a database that was restored from a backup may have another history than what was its replica.
        """

        def work(connection: Connection) -> tuple[Change | None, Sequence[Event]]:
            newest = reads.newest(connection, board)
            return reads.changes(connection, board, after, limit) if newest else None, newest

        page, newest = await replica.ask(work) or (None, ())
        if page is None or page.kind is not ChangeKind.PAGE or not await self._has(replica, newest):
            return None
        return page

    async def _has(self, replica: Replica, newest: Sequence[Event]) -> bool:
        """Whether what a replica has last of each board is the database's, too: then so is all before it."""
        for event in newest:
            found = await self.events(event.board, event.version - 1, 1)
            if [one.event_id for one in found] != [event.event_id]:
                replica.rest("it has another history than the database")
                return False
        return True

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        return await self._reader.run(lambda connection: reads.page(connection, board, limit, offset))

    async def events(self, board: str, after: int, limit: int) -> Sequence[Event]:
        return await self._reader.run(lambda connection: reads.events(connection, board, after, limit))
