"""Concurrent commits on PostgreSQL cause no deadlocks, and none of them waits for too long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.submissions import Submission
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql.postgresql_database import Limits
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.limits import LIMIT_SECONDS, PATIENT_POSTGRESQL
from tests.making import DUEL, MAIN, QUEST, SIDE, UNLIMITED, VISIT, commit, decide_with, submission


@asynccontextmanager
async def opened(url: str, limits: Limits = PATIENT_POSTGRESQL) -> AsyncIterator[PostgresqlStore]:
    async with PostgresqlStore(url, limit=UNLIMITED, clock=None, limits=limits) as store:
        await store.register_boards([MAIN, SIDE])
        yield store


class Observer:
    """Observes the database on a connection of its own."""

    def __init__(self, url: str, connection: asyncpg.Connection) -> None:
        self._url = url
        self._connection = connection

    @asynccontextmanager
    async def holding(self, statement: str) -> AsyncIterator[None]:
        """Hold the locks of a statement until the end of the block."""
        # A transaction does not see later changes of others.
        connection = await asyncpg.connect(self._url)
        try:
            async with connection.transaction():
                await connection.execute(statement)
                yield
        finally:
            await connection.close()

    def holding_main(self) -> AbstractAsyncContextManager[None]:
        """Hold the lock of a board, as a commit does."""
        return self.holding(
            f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, key) FROM boards WHERE id = 'main'"
        )

    async def waiting(self, count: int) -> None:
        """Wait until this many connections wait for a lock."""
        await self._until(count, "wait_event_type = 'Lock'")

    async def deadlocks(self) -> int:
        """Return the number of deadlocks. Connections report theirs at their end, so wait for that first."""
        await self._until(0, "pid <> pg_backend_pid() AND backend_type = 'client backend'")
        counted: int = await self._connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return counted

    async def _until(self, count: int, condition: str) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while count != await self._connection.fetchval(
                f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
            ):
                pass


@pytest.fixture
async def observer(migrated_url: str) -> AsyncIterator[Observer]:
    connection = await asyncpg.connect(migrated_url)
    yield Observer(migrated_url, connection)
    await connection.close()


async def commit_on(store: PostgresqlStore, boards: Sequence[str], *batch: Submission) -> Decision:
    return await store.commit(boards, lambda: batch, decide_with())


async def test_two_boards_are_locked_in_any_order_without_a_deadlock(
    migrated_url: str, observer: Observer
) -> None:
    async with opened(migrated_url) as one, opened(migrated_url) as other:
        async with asyncio.TaskGroup() as group, observer.holding_main():
            group.create_task(commit_on(one, ("main", "side"), submission("ada"), submission("bob", VISIT)))
            await observer.waiting(1)
            group.create_task(commit_on(other, ("side", "main"), submission("ada", VISIT), submission("bob")))
            await observer.waiting(2)
        assert [e.version for e in await one.events("main", 0, 10)] == [1, 2]
        assert [e.version for e in await one.events("side", 0, 10)] == [1, 2]
    assert await observer.deadlocks() == 0


async def test_the_same_players_on_two_boards_are_counted_in_any_order_without_a_deadlock(
    migrated_url: str, observer: Observer
) -> None:
    """One of the two waits at the first player. Neither waits while it holds another one."""
    async with opened(migrated_url) as one, opened(migrated_url) as other:
        users = ("ada", "bob", "cyd")
        await commit(one, *map(submission, users))
        hold_bob = "SELECT 1 FROM players WHERE user_id = 'bob' FOR UPDATE"
        async with asyncio.TaskGroup() as group, observer.holding(hold_bob):
            group.create_task(commit(one, *(submission(user_id, DUEL) for user_id in users)))
            await observer.waiting(1)
            group.create_task(commit(other, *(submission(user_id, VISIT) for user_id in reversed(users))))
            await observer.waiting(2)
        assert [e.score for e in (await one.page("main", 10, 0)).entries] == [80, 80, 80]
        assert [e.score for e in (await one.page("side", 10, 0)).entries] == [5, 5, 5]
    assert await observer.deadlocks() == 0


async def test_many_processes_on_the_same_boards_and_players_count_exactly(
    migrated_url: str, observer: Observer
) -> None:
    users = [f"user-{n}" for n in range(6)]

    async def write(store: PostgresqlStore, number: int) -> None:
        boards = ("main", "side") if number % 2 else ("side", "main")
        for turn in range(8):
            # Each process has its own order, and every second batch is for one board.
            mine = users[turn % 6 :] + users[: turn % 6] if number % 2 else users[::-1]
            actions = (QUEST, VISIT) if turn % 2 else (QUEST,) if number % 2 else (VISIT,)
            batch = [submission(user_id, actions[n % len(actions)]) for n, user_id in enumerate(mine)]
            await commit_on(store, boards if turn % 2 else (actions[0].board,), *batch)

    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(migrated_url)) for _ in range(6)]
        await asyncio.gather(*(write(store, number) for number, store in enumerate(stores)))
        main, side = await stores[0].events("main", 0, 1_000), await stores[0].events("side", 0, 1_000)
    for events in (main, side):
        assert [e.version for e in events] == list(range(1, len(events) + 1))
    for player in {e.player for e in main}:
        assert sorted(e.seq or 0 for e in (*main, *side) if e.player == player) == list(range(1, 6 * 8 + 1))
    assert await observer.deadlocks() == 0


async def test_a_board_that_is_locked_for_too_long_is_reported_in_time(
    migrated_url: str, observer: Observer
) -> None:
    limits = replace(PATIENT_POSTGRESQL, lock_seconds=0.2)
    async with opened(migrated_url, limits) as store:
        async with observer.holding_main(), asyncio.timeout(LIMIT_SECONDS / 2):
            with pytest.raises(StoreUnavailable):
                await store.commit({"main"}, pytest.fail, decide_with())
            # The other board is not locked.
            assert len(await commit(store, submission("ada", VISIT))) == 1
        assert len(await commit(store, submission("ada"))) == 1


async def test_a_statement_that_takes_too_long_is_reported_in_time(
    migrated_url: str, observer: Observer
) -> None:
    limits = replace(PATIENT_POSTGRESQL, statement_seconds=0.2)
    async with opened(migrated_url, limits) as store:
        async with observer.holding("LOCK TABLE standings"), asyncio.timeout(LIMIT_SECONDS / 2):
            with pytest.raises(StoreUnavailable):
                await store.page("main", 10, 0)
            with pytest.raises(StoreUnavailable):
                await commit(store, submission("ada"))
        assert len(await commit(store, submission("ada"))) == 1
        assert (await store.page("main", 10, 0)).players == 1
