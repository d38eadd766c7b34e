"""Each ranking applies changes in order."""

import asyncio
from collections.abc import AsyncIterator

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import ApplyResult, CopyState, Ranking
from tests.contract.ranking.conftest import order
from tests.limits import LIMIT_SECONDS
from tests.making import change, standing

STEP, PAGE, LAST_PAGE = ChangeKind.STEP, ChangeKind.PAGE, ChangeKind.LAST_PAGE


async def test_steps_are_applied_in_order(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 30, 2)))
    await ranking.apply(change(STEP, 2, 3, standing(2, 60, 3)))
    assert await order(ranking) == [(1, "user-2", 60), (2, "user-1", 50)]
    page = await ranking.read("main", ALL_TIME, Page(10))
    assert (page.version, page.reading_us, page.players) == (3, 3_000, 2)
    assert page.entries[0].reached_at_us == 3_000


async def test_ranks_are_those_at_the_version_of_each_event(ranking: Ranking) -> None:
    applied = await ranking.apply(
        change(STEP, 0, 3, standing(1, 50, 1), standing(2, 80, 2), standing(3, 60, 3))
    )
    assert applied == ApplyResult(
        3, readable=True, moved=True, ranks={(ALL_TIME, 1): 1, (ALL_TIME, 2): 1, (ALL_TIME, 3): 2}
    )


async def test_a_gap_changes_nothing(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    assert await ranking.apply(change(STEP, 2, 3, standing(2, 90, 3))) == ApplyResult(
        1, readable=True, moved=False, ranks={}
    )
    assert await order(ranking) == [(1, "user-1", 50)]


async def test_a_known_change_changes_nothing(ranking: Ranking) -> None:
    step = change(STEP, 0, 1, standing(1, 50, 1))
    await ranking.apply(step)
    await ranking.apply(change(STEP, 1, 2, standing(1, 70, 2)))
    assert await ranking.apply(step) == ApplyResult(2, readable=True, moved=False, ranks={(ALL_TIME, 1): 1})
    assert await order(ranking) == [(1, "user-1", 70)]


async def test_a_partly_known_change_is_completed(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 90, 2)))
    applied = await ranking.apply(change(LAST_PAGE, 1, 3, standing(2, 90, 2), standing(3, 60, 3)))
    assert applied.version == 3
    assert await order(ranking) == [(1, "user-2", 90), (2, "user-3", 60), (3, "user-1", 50)]


async def test_an_older_standing_never_replaces_a_newer_one(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 90, 2)))
    await ranking.apply(change(LAST_PAGE, 0, 3, standing(2, 40, 1), standing(3, 60, 3)))
    assert (1, "user-2", 90) in await order(ranking)


async def test_boards_are_independent(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    assert await ranking.copy_state("side") == CopyState(0, readable=False)


async def test_a_change_is_announced(ranking: Ranking) -> None:
    changed = ranking.changed_boards()
    async with asyncio.timeout(LIMIT_SECONDS):
        await until_main(changed)
        waiting = asyncio.ensure_future(until_main(changed))
        await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
        await waiting
    await changed.aclose()  # type: ignore[attr-defined]


async def until_main(changed: AsyncIterator[str]) -> None:
    """Wait until the main board is reported as changed. At first, all boards may be."""
    while await anext(changed) != "main":
        pass


async def test_the_states_of_several_copies_are_read_at_once(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    states = await ranking.copy_states(["main", "side"])
    assert states == {"main": CopyState(1, readable=True), "side": CopyState(0, readable=False)}
    assert [state.reading_us for state in states.values()] == [1_000, 0]
    assert await ranking.copy_states([]) == {}
