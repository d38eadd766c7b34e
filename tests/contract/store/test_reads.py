"""Each store reads pages of a board and of its ledger."""

from collections.abc import Sequence
from dataclasses import replace

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.queries import Page
from scoreboard.domain.submissions import Submission
from scoreboard.ports.store import Store
from tests.contract.conftest import BOTH
from tests.making import DUEL, QUEST, commit, decide_with, submission


async def test_the_ledger_is_read_in_pages(store: Store) -> None:
    await commit(store, *(submission(f"user-{n}") for n in range(5)))
    assert [e.version for e in await store.events("main", 2, 2)] == [3, 4]


async def test_pages_are_in_the_order_of_the_board(store: Store) -> None:
    await commit(store, submission("ada", DUEL), submission("bob", DUEL), submission("cyd", QUEST))
    first, second = (
        await store.read("main", ALL_TIME, Page(2)),
        await store.read("main", ALL_TIME, Page(2, 2)),
    )
    assert [(e.rank, e.user_id, e.score) for e in first.entries] == [(1, "cyd", 50), (2, "ada", 30)]
    assert [(e.rank, e.user_id, e.score) for e in second.entries] == [(3, "bob", 30)]
    assert (first.version, first.players) == (3, 3)


async def test_a_player_that_is_not_listed_is_on_no_page(store: Store) -> None:
    await commit(store, submission("ada"))

    def unlist(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        decision = decide_with()(batch, facts)
        (step,) = decision.changes
        hidden = tuple(replace(standing, listed=False) for standing in step.standings)
        return replace(decision, changes=(replace(step, standings=hidden),))

    await store.commit(BOTH, lambda: [submission("bob"), submission("cyd")], unlist)
    page = await store.read("main", ALL_TIME, Page(10))
    assert (page.players, [entry.user_id for entry in page.entries]) == (1, ["ada"])
    assert [s.listed for s in (await store.changes("main", 0, 10)).standings] == [True, False, False]
