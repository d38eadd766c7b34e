"""Several processes write one history."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from scoreboard.domain.decisions import NO_DECISION, Decision
from scoreboard.domain.events import Event, EventKind
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.submissions import Submission
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.store import Store
from tests.contract.conftest import OpenProcess, OpenStore
from tests.contract.correcting import about, check_boards, correct, ranks
from tests.limits import LIMIT_SECONDS
from tests.making import DUEL, VISIT, commit, decide_with, submission


async def test_two_processes_write_one_history(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    for _ in range(5):
        await asyncio.gather(commit(one, submission("ada")), commit(other, submission("ada", DUEL)))
    events = await one.events("main", 0, 100)
    assert [e.version for e in events] == list(range(1, 11))
    assert [e.seq for e in events] == list(range(1, 11))
    assert events[-1].score == 5 * 80
    assert await other.heads() == await one.heads()


async def test_a_batch_is_taken_only_once_its_boards_are_locked(
    open_process: OpenProcess, store: Store
) -> None:
    has_the_turn, taken = threading.Event(), threading.Event()
    waited: list[bool] = []

    def hold(_batch: Sequence[Submission], _facts: BatchFacts) -> Decision:
        has_the_turn.set()
        waited.append(not taken.wait(0.3))
        return NO_DECISION

    async def another_process() -> None:
        async with open_process() as other:
            await other.commit({"main"}, lambda: [submission()], hold)

    def take() -> Sequence[Submission]:
        taken.set()
        return [submission("late")]

    with ThreadPoolExecutor(1) as elsewhere:
        holding = elsewhere.submit(asyncio.run, another_process())
        assert await asyncio.to_thread(has_the_turn.wait, LIMIT_SECONDS)
        await store.commit({"main"}, take, decide_with())
        holding.result()
    assert waited == [True]
    assert (await store.heads())["main"].version == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
async def test_one_player_on_two_boards_at_once_is_counted_exactly(
    open_process: OpenProcess, store: Store, known: bool
) -> None:
    """Each board has its own lock: a commit on another board may come between facts and this commit."""
    if known:
        await commit(store, submission("ada"))
    decided: list[int] = []

    async def overtake() -> list[Event]:
        async with open_process() as other:
            return await commit(other, submission("bob", VISIT), submission("ada", VISIT))

    with ThreadPoolExecutor(1) as elsewhere:
        overtaking: list[Future[list[Event]]] = []

        def decide_late(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            decided.append(facts.submissions[0].player.seq)
            if not overtaking:
                overtaking.append(elsewhere.submit(asyncio.run, overtake()))
                # SQLite has one lock for all boards: the other commit waits for this one.
                wait(overtaking, timeout=0.5)
            return decide_with()(batch, facts)

        decision = await store.commit({"main"}, lambda: [submission("ada"), submission("cyd")], decide_late)
    quest, visit = decision.events[0], overtaking[0].result()[1]
    assert quest.player == visit.player
    assert sorted((quest.seq or 0, visit.seq or 0)) == ([2, 3] if known else [1, 2])
    assert quest.seq == decided[-1] + 1
    assert [e.score for e in await store.events("main", 0, 10)] == ([50, 100, 50] if known else [50, 50])


async def test_corrections_and_submissions_of_two_processes_are_one_history(open_store: OpenStore) -> None:
    one, other = await open_store(), await open_store()
    await commit(one, submission("ada"), submission("bob"))

    async def submit() -> None:
        for _ in range(10):
            await commit(one, submission("bob"))
            await commit(one, submission("ada", VISIT))

    async def moderate() -> None:
        for _ in range(5):
            await correct(other, about(EventKind.BAN))
            await correct(other, about(EventKind.ADJUST, "bob", board="main", points=1))
            await correct(other, about(EventKind.UNBAN))

    await asyncio.gather(submit(), moderate())
    await check_boards(one)
    events = await one.events("main", 0, 100)
    assert [e.version for e in events] == list(range(1, len(events) + 1))
    assert dict(await ranks(one))["bob"] == 50 * 11 + 5


async def test_a_ban_waits_for_a_commit_and_includes_its_event(
    open_process: OpenProcess, store: AdminStore
) -> None:
    """A correction locks every board, so that it waits for the commit."""
    await commit(store, submission("ada"))

    async def ban() -> None:
        async with open_process() as other:
            await correct(other, about(EventKind.BAN))

    with ThreadPoolExecutor(1) as elsewhere:
        banning: list[Future[None]] = []

        def decide_late(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            banning.append(elsewhere.submit(asyncio.run, ban()))
            # It has to wait for this commit.
            wait(banning, timeout=0.3)
            return decide_with()(batch, facts)

        await store.commit({"side"}, lambda: [submission("ada", VISIT)], decide_late)
        banning[0].result()
    assert (await ranks(store), await ranks(store, "side")) == ([], [])
    await check_boards(store)
