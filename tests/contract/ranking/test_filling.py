"""Each ranking is filled in pages, and is readable only when it is a state of the board."""

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import ApplyResult, CopyState, Ranking
from tests.contract.ranking.conftest import order
from tests.making import change, standing
from tests.rankings import rank_of

STEP, PAGE, LAST_PAGE = ChangeKind.STEP, ChangeKind.PAGE, ChangeKind.LAST_PAGE


async def test_a_copy_is_not_readable_before_it_is_filled(empty: Ranking) -> None:
    assert await empty.copy_state("main") == CopyState(0, readable=False)
    with pytest.raises(RankingUnavailable):
        await empty.read("main", ALL_TIME, Page(10))
    with pytest.raises(RankingUnavailable):
        await rank_of(empty, 1)


async def test_an_empty_board_is_readable_after_its_last_page(ranking: Ranking) -> None:
    assert await ranking.copy_state("main") == CopyState(0, readable=True)
    page = await ranking.read("main", ALL_TIME, Page(10))
    assert (page.version, page.players, page.entries) == (0, 0, ())


async def test_a_copy_between_pages_is_not_readable_and_applies_no_step(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 2, standing(1, 50, 1), standing(2, 30, 2)))
    assert await empty.copy_state("main") == CopyState(2, readable=False)
    applied = await empty.apply(change(STEP, 2, 3, standing(1, 90, 3)))
    assert applied == ApplyResult(2, readable=False, moved=False, ranks={})
    with pytest.raises(RankingUnavailable):
        await empty.read("main", ALL_TIME, Page(10))


async def test_the_last_page_makes_a_copy_readable(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 1, standing(1, 50, 1)))
    await empty.apply(change(LAST_PAGE, 1, 3, standing(2, 60, 3)))
    assert await empty.copy_state("main") == CopyState(3, readable=True)
    assert await order(empty) == [(1, "user-2", 60), (2, "user-1", 50)]


async def test_the_last_page_may_be_empty(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 1, standing(1, 50, 1)))
    await empty.apply(change(LAST_PAGE, 1, 1))
    assert await order(empty) == [(1, "user-1", 50)]


async def test_a_page_for_a_lost_copy_changes_nothing(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 1, standing(1, 50, 1)))
    lost = (await empty.copy_state("main")).copy_id
    await empty.drop("main")
    # Another process starts a new copy. Player 2, whose standing has changed since version 1, is on its next
    # page.
    await empty.apply(change(PAGE, 0, 2, standing(1, 60, 2)), (await empty.copy_state("main")).copy_id)
    begun = (await empty.copy_state("main")).copy_id
    assert begun not in {"", lost}
    late = await empty.apply(change(LAST_PAGE, 1, 3, standing(3, 10, 3)), lost)
    assert late == ApplyResult(2, readable=False, moved=False, ranks={})
    await empty.apply(change(LAST_PAGE, 2, 4, standing(3, 10, 3), standing(2, 70, 4)), begun)
    assert await order(empty) == [(1, "user-2", 70), (2, "user-1", 60), (3, "user-3", 10)]


async def test_a_dropped_copy_has_version_0(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    await ranking.drop("main")
    assert await ranking.copy_state("main") == CopyState(0, readable=False)
    await ranking.apply(change(LAST_PAGE, 0, 1, standing(2, 20, 1)))
    assert await order(ranking) == [(1, "user-2", 20)]
