"""Concurrent commits on PostgreSQL cause no deadlocks, and none of them waits for too long."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.queries import Page
from scoreboard.domain.submissions import Submission
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.drivers.observer import HOLD_MAIN, Observer
from tests.making import DUEL, QUEST, VISIT, commit, decide_with, submission
from tests.stores import open_postgresql


async def deadlocks(observer: Observer) -> int:
    """Return the number of deadlocks. Connections report theirs when they are closed: wait for that."""
    await observer.until(0, "application_name <> ''")
    counted: int = await observer.value(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return counted


async def commit_on(store: PostgresqlStore, boards: Sequence[str], *batch: Submission) -> Decision:
    return await store.commit(boards, lambda: batch, decide_with())


async def test_two_boards_are_locked_in_any_order_without_a_deadlock(
    migrated_url: str, observer: Observer
) -> None:
    async with open_postgresql(migrated_url) as one, open_postgresql(migrated_url) as other:
        async with asyncio.TaskGroup() as group, observer.holding(HOLD_MAIN):
            group.create_task(commit_on(one, ("main", "side"), submission("ada"), submission("bob", VISIT)))
            await observer.until_waiting(1)
            group.create_task(commit_on(other, ("side", "main"), submission("ada", VISIT), submission("bob")))
            await observer.until_waiting(2)
        assert [e.version for e in await one.events("main", 0, 10)] == [1, 2]
        assert [e.version for e in await one.events("side", 0, 10)] == [1, 2]
    assert await deadlocks(observer) == 0


async def test_the_same_players_on_two_boards_are_counted_in_any_order_without_a_deadlock(
    migrated_url: str, observer: Observer
) -> None:
    """One of the two waits at the first player. Neither waits while it holds another one."""
    async with open_postgresql(migrated_url) as one, open_postgresql(migrated_url) as other:
        users = ("ada", "bob", "cyd")
        await commit(one, *map(submission, users))
        hold_bob = "SELECT 1 FROM players WHERE user_id = 'bob' FOR UPDATE"
        async with asyncio.TaskGroup() as group, observer.holding(hold_bob):
            group.create_task(commit(one, *(submission(user_id, DUEL) for user_id in users)))
            await observer.until_waiting(1)
            group.create_task(commit(other, *(submission(user_id, VISIT) for user_id in reversed(users))))
            await observer.until_waiting(2)
        assert [e.score for e in (await one.read("main", ALL_TIME, Page(10))).entries] == [80, 80, 80]
        assert [e.score for e in (await one.read("side", ALL_TIME, Page(10))).entries] == [5, 5, 5]
    assert await deadlocks(observer) == 0


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
        stores = [await stack.enter_async_context(open_postgresql(migrated_url)) for _ in range(6)]
        await asyncio.gather(*(write(store, number) for number, store in enumerate(stores)))
        main, side = await stores[0].events("main", 0, 1_000), await stores[0].events("side", 0, 1_000)
    for events in (main, side):
        assert [e.version for e in events] == list(range(1, len(events) + 1))
    for player in {e.player for e in main}:
        assert sorted(e.seq or 0 for e in (*main, *side) if e.player == player) == list(range(1, 6 * 8 + 1))
    assert await deadlocks(observer) == 0
