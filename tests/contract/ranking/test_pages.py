"""Each ranking orders players exactly, and returns pages and ranks."""

from scoreboard.domain.boards import ALL_TIME, MAX_SCORE
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import Ranking
from tests.contract.ranking.conftest import order
from tests.making import change, standing
from tests.rankings import rank_of

STEP, PAGE, LAST_PAGE = ChangeKind.STEP, ChangeKind.PAGE, ChangeKind.LAST_PAGE


async def test_of_equal_scores_the_one_reached_first_ranks_first(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 3, standing(9, 50, 1), standing(5, 50, 2), standing(7, 50, 3)))
    assert [user for _, user, _ in await order(ranking)] == ["user-9", "user-5", "user-7"]


async def test_a_standing_keeps_its_rank_while_its_score_stays(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 50, 2)))
    await ranking.apply(change(STEP, 2, 3, standing(1, 50, 3, reached_version=1)))
    assert [user for _, user, _ in await order(ranking)] == ["user-1", "user-2"]


async def test_scores_are_exact_up_to_the_ends_of_the_range(ranking: Ranking) -> None:
    scores = [MAX_SCORE, MAX_SCORE - 1, 1, 0, -1, 1 - MAX_SCORE, -MAX_SCORE]
    await ranking.apply(change(STEP, 0, 7, *(standing(n, score, n + 1) for n, score in enumerate(scores))))
    assert [score for _, _, score in await order(ranking)] == scores


async def test_a_player_that_is_not_listed_has_no_rank(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 30, 2)))
    applied = await ranking.apply(change(STEP, 2, 3, standing(1, 50, 3, reached_version=1, listed=False)))
    assert applied.ranks == {}
    assert await rank_of(ranking, 1) is None
    page = await ranking.read("main", ALL_TIME, Page(10))
    assert (page.players, [e.user_id for e in page.entries]) == (1, ["user-2"])
    await ranking.apply(change(STEP, 3, 4, standing(1, 50, 4, reached_version=1)))
    assert await rank_of(ranking, 1) == 1


async def test_pages_and_ranks_agree(ranking: Ranking) -> None:
    count = 5_000
    await ranking.apply(
        change(STEP, 0, count, *(standing(n, n * 7_919 % 1_000, n) for n in range(1, count + 1)))
    )
    page = await ranking.read("main", ALL_TIME, Page(50, 2_345))
    assert [e.rank for e in page.entries] == list(range(2_346, 2_396))
    assert page.players == count
    for entry in page.entries[::10]:
        assert await rank_of(ranking, int(entry.user_id.removeprefix("user-"))) == entry.rank


async def test_a_page_past_the_end_is_empty(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    assert (await ranking.read("main", ALL_TIME, Page(10, 1))).entries == ()
    assert (await ranking.read("main", ALL_TIME, Page(10, 2**53 - 1))).entries == ()
    assert await rank_of(ranking, 99) is None
