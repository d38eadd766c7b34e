"""The store on PostgreSQL 15 or newer, which many processes share."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self, TypeVar

from scoreboard.domain.administration import (
    Correction,
    DecideCorrection,
    LedgerRecord,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.domain.boards import Board
from scoreboard.domain.decisions import NO_DECISION, Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.events import Head
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.standings import Change, ChangeKind
from scoreboard.domain.submissions import Submission
from scoreboard.ports.clock import Clock
from scoreboard.ports.store import DecideBatch, Take
from scoreboard.store.administration import reads as admin_reads
from scoreboard.store.administration.corrections import correct_and_append
from scoreboard.store.administration.suspects import find_suspects
from scoreboard.store.boards import board_keys, register_boards
from scoreboard.store.changes import changes
from scoreboard.store.facts import idle_boards
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.commit import WRITERS, commit
from scoreboard.store.postgresql.connections import Connections, Transaction
from scoreboard.store.postgresql.facts import read_facts
from scoreboard.store.postgresql.ledger import CLOCK, append
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
from scoreboard.store.postgresql.replica import Replica
from scoreboard.store.rejected_content import BoardMissing
from scoreboard.store.store_reads import StoreReads

T = TypeVar("T")


class PostgresqlStore(StoreReads):
    """`ports.Store` and `ports.AdminStore` on a PostgreSQL database with this program's schema.

    Without a clock, it uses the database's: one clock for all processes.
    """

    def __init__(
        self,
        url: str,
        *,
        limit: RateLimit,
        clock: Clock | None,
        limits: DatabaseLimits,
        replica_url: str | None = None,
    ) -> None:
        self._url = url
        self._limit = limit
        self._clock = clock
        self._server = postgresql_database.make_server(url, limits)
        self._writer = Connections(self._server, limits, WRITERS, "write")
        self._reader = Connections(self._server, limits, limits.connections - WRITERS, "read")
        self._replica_server = None
        self._replica = None
        if replica_url is not None:
            self._replica_server = postgresql_database.make_server(replica_url, limits, is_replica=True)
            self._replica = Replica(self._replica_server, limits, self._reader)
        self._board_keys: Mapping[str, int] = {}
        self._definitions: Mapping[str, Definition] = {}
        """The definitions of the boards that this process registered."""
        self._heads: Mapping[str, Head] = {}
        self._one_correction = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Raises SchemaError if the database has another schema, StartError if it cannot be reached."""
        await postgresql_database.check(self._url)
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

    def reconnect(self) -> None:
        self._server.renew("the versions of a board differ from those of its copy", pause_seconds=0)

    async def check_writes(self) -> None:
        # A server that cannot write its log terminates: then reads fail, too.
        if not self._server.takes_writes:
            raise StoreUnavailable

    async def register_boards(self, boards: Sequence[Board]) -> None:
        self._board_keys = await self._writer.run(register_boards, boards)
        self._definitions = {board.id: board.definition for board in boards}

    async def commit(self, boards: Collection[str], take: Take, decide_batch: DecideBatch) -> Decision:
        batch: Sequence[Submission] | None = None

        async def write(transaction: Transaction) -> Decision:
            nonlocal batch
            batch = take() if batch is None else batch
            idle = idle_boards(boards, batch, self._definitions)
            if not batch and not idle:
                return NO_DECISION
            reading_us = None if self._clock is None else self._clock.now_us()
            facts = await read_facts(
                transaction, batch, self._board_keys, self._definitions, idle, self._limit.count, reading_us
            )
            decision = decide_batch(batch, facts)
            if decision.events:
                await append(transaction.raw, decision, self._board_keys, self._definitions)
            return decision

        try:
            return await commit(self._writer, [self._board_keys[board] for board in boards], write)
        except BoardMissing:
            known = self._board_keys
            self._board_keys = {**known, **await self._reader.run(board_keys)}
            if self._board_keys == known:
                raise
        return await commit(self._writer, [self._board_keys[board] for board in boards], write)

    async def correct(self, correction: Correction, decide: DecideCorrection) -> Decision:
        # A newer instance may have added boards.
        self._board_keys = await self._reader.run(board_keys)

        async def write(transaction: Transaction) -> Decision:
            reading_us = (
                await transaction.raw.fetchval(CLOCK) if self._clock is None else self._clock.now_us()
            )
            return await transaction.connection.run_sync(correct_and_append, correction, decide, reading_us)

        # At most one connection, so that scores are written on the other one.
        async with self._one_correction:
            return await commit(self._writer, list(self._board_keys.values()), write)

    async def _read(self, work: Callable[..., T], *args: object) -> T:
        return await self._reader.run(work, *args)

    async def heads(self) -> Mapping[str, Head]:
        self._heads = await super().heads()
        return self._heads

    async def changes(self, board: str, after: int, limit: int) -> Change:
        missing = self._heads[board].version - after if board in self._heads else 0
        # A small gap, which another process's commit leaves for a moment, fills no page.
        if self._replica is not None and missing > limit:
            page = await self._replica.read(board, changes, board, after, limit)
            # What is newer in the database comes again on a later page. Only the database knows where the
            # pages end.
            if page is not None and page.kind is ChangeKind.PAGE:
                return page
        return await super().changes(board, after, limit)

    async def ledger(self, board: str, after: int, limit: int) -> Sequence[LedgerRecord]:
        found = None
        if self._replica is not None:
            found = await self._replica.read(board, admin_reads.ledger, board, after, limit)
        # A replica may not have the newest events yet.
        return found or await super().ledger(board, after, limit)

    async def suspects(self, since_us: int, thresholds: SuspicionThresholds, limit: int) -> Sequence[Suspect]:
        found = None
        if self._replica is not None:
            found = await self._replica.read(None, find_suspects, since_us, thresholds, limit)
        return await super().suspects(since_us, thresholds, limit) if found is None else found
