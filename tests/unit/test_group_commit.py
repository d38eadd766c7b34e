"""Group commit: its limits, and its responses if the store or the ranking is slow or fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import PlayerBusy, QueueFull, RateLimited, StoreUnavailable
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.ports.store import DecideBatch, Take
from scoreboard.resilience.background_loop import running
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.write_queue import PLAYER_QUEUE_SIZE, QUEUE_SIZE
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.making import MAIN, TEN_A_MINUTE, UNLIMITED, rules, submission
from tests.service import ApplierOf

Apply = Callable[[Decision], Awaitable[Mapping[tuple[str, int], int]]]


class CountingStore(SqliteStore):
    """The real store. It counts its commits, and fails on request."""

    turns: list[int]
    turn: asyncio.Event
    fails = False
    failed = 0
    lock_seconds = 0.0

    async def commit(self, boards: Collection[str], take: Take, decide_batch: DecideBatch) -> Decision:
        if self.fails:
            self.failed += 1
            raise StoreUnavailable
        # As if it had waited for the lock.
        self._clock.advance(self.lock_seconds)  # type: ignore[attr-defined]
        decision = await super().commit(boards, take, decide_batch)
        self._clock.advance(self.lock_seconds)  # type: ignore[attr-defined]
        self.turns.append(len(decision.outcomes))
        self.turn.set()
        return decision


async def rank_all_first(decision: Decision) -> Mapping[tuple[str, int], int]:
    return {(ALL_TIME, event.player): 1 for event in decision.events}


@asynccontextmanager
async def committing(
    path: Path, limit: RateLimit = UNLIMITED, apply: Apply = rank_all_first, *, run: bool = True
) -> AsyncIterator[tuple[GroupCommit, CountingStore, HeldClock]]:
    clock = HeldClock()
    async with CountingStore(path, limit=limit, clock=clock) as store:
        store.turns = []
        store.turn = asyncio.Event()
        await store.register_boards([MAIN])
        commit = GroupCommit(store, ApplierOf(apply), rules(limit), clock)
        async with running(*commit.loops if run else ()):
            yield commit, store, clock


async def test_waiting_submissions_are_committed_together_one_of_each_player_at_a_time(path: Path) -> None:
    async with committing(path, run=False) as (commit, store, _):
        waiting = [asyncio.create_task(commit.submit(submission(user))) for user in "aaabbc"]
        await asyncio.sleep(0)
        async with running(*commit.loops):
            receipts = await asyncio.gather(*waiting)
            assert store.turns == [3, 2, 1]
            assert [receipt.event.version for receipt in receipts] == [1, 4, 6, 2, 5, 3]


async def test_a_full_queue_refuses_more_and_commits_what_it_has(path: Path) -> None:
    async with committing(path, run=False) as (commit, _, _):
        waiting = [asyncio.create_task(commit.submit(submission(f"user-{n}"))) for n in range(QUEUE_SIZE)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await commit.submit(submission("late"))
        async with running(*commit.loops):
            receipts = await asyncio.gather(*waiting)
            assert sorted(receipt.event.version for receipt in receipts) == list(range(1, QUEUE_SIZE + 1))


async def test_one_player_cannot_fill_the_queue(path: Path) -> None:
    async with committing(path, run=False) as (commit, _, _):
        waiting = [asyncio.create_task(commit.submit(submission("ada"))) for _ in range(PLAYER_QUEUE_SIZE)]
        await asyncio.sleep(0)
        with pytest.raises(PlayerBusy):
            await commit.submit(submission("ada"))
        other = asyncio.create_task(commit.submit(submission("bob")))
        async with running(*commit.loops):
            assert (await other).event.version == 2
            await asyncio.gather(*waiting)


async def test_a_flood_of_refused_requests_does_not_reach_the_store(path: Path) -> None:
    async with committing(path, RateLimit(1, 60_000_000)) as (commit, store, clock):
        await commit.submit(submission("ada"))
        for _ in range(20):
            with pytest.raises(RateLimited) as refused:
                await commit.submit(submission("ada"))
            assert refused.value.retry_after_us == 60_000_000
        assert store.turns == [1, 1]
        clock.advance(60)
        await commit.submit(submission("ada"))
        assert store.turns == [1, 1, 1]


async def test_a_request_with_a_key_always_reaches_the_store(path: Path) -> None:
    async with committing(path, RateLimit(1, 60_000_000)) as (commit, store, _):
        first = await commit.submit(submission("ada", key=1))
        with pytest.raises(RateLimited):
            await commit.submit(submission("ada"))
        again = await commit.submit(submission("ada", key=1))
        assert (again.event, again.replayed) == (first.event, True)
        assert len(store.turns) == 3


async def test_a_slow_ranking_delays_an_answer_by_a_quarter_second_and_no_commit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.answer.ANSWER_WITHOUT_RANK_SECONDS", 0.25)
    release = asyncio.Event()

    async def stuck(decision: Decision) -> Mapping[tuple[str, int], int]:
        await release.wait()
        return await rank_all_first(decision)

    async with committing(path, apply=stuck) as (commit, store, _):
        started = asyncio.get_running_loop().time()
        first, second = await asyncio.gather(
            commit.submit(submission("ada")), commit.submit(submission("bob"))
        )
        assert asyncio.get_running_loop().time() - started > 0.2
        assert (first.rank, second.rank) == (None, None)
        assert (await store.heads())["main"].version == 2
        release.set()
        assert (await commit.submit(submission("ada"))).rank == 1


async def test_an_unavailable_store_is_reported_at_once_and_used_when_it_returns(path: Path) -> None:
    async with committing(path) as (commit, store, _):
        store.fails = True
        answers = await asyncio.gather(
            *(commit.submit(submission(user)) for user in "aaabc"), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 5
        assert store.failed == 1
        store.fails = False
        assert (await commit.submit(submission("a"))).event.version == 1


async def test_a_client_that_has_disconnected_does_not_affect_others(path: Path) -> None:
    async with committing(path, TEN_A_MINUTE) as (commit, _, _):
        leaving = asyncio.create_task(commit.submit(submission("ada")))
        staying = asyncio.create_task(commit.submit(submission("bob")))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying).event.version == 2


async def test_a_cached_refusal_ends_before_the_stores_own_and_its_retry_time_is_after_it(path: Path) -> None:
    async with committing(path, RateLimit(1, 60_000_000)) as (commit, store, clock):
        event = (await commit.submit(submission("ada"))).event
        store.lock_seconds = 3
        with pytest.raises(RateLimited):
            await commit.submit(submission("ada"))
        with pytest.raises(RateLimited) as refused:
            await commit.submit(submission("ada"))
        assert len(store.turns) == 2
        assert clock.us + refused.value.retry_after_us >= event.at_us + 60_000_000
        # The cached refusal has expired, so the store decides. It still refuses.
        clock.us = event.at_us + 60_000_000 - 2_000_000
        store.lock_seconds = 0
        with pytest.raises(RateLimited):
            await commit.submit(submission("ada"))
        assert len(store.turns) == 3


async def test_batches_are_applied_in_order_although_the_first_is_slow(path: Path) -> None:
    release = asyncio.Event()
    applied: list[int] = []

    async def slow_first(decision: Decision) -> Mapping[tuple[str, int], int]:
        if not applied and not release.is_set():
            await release.wait()
        applied.append(decision.events[0].version)
        return {}

    async with committing(path, apply=slow_first) as (commit, store, _):
        first = asyncio.create_task(commit.submit(submission("ada")))
        await store.turn.wait()
        store.turn.clear()
        second = asyncio.create_task(commit.submit(submission("bob")))
        await store.turn.wait()
        release.set()
        await asyncio.gather(first, second)
        assert applied == [1, 2]
