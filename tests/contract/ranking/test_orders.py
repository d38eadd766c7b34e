"""Each ranking orders the players of a board by its definition."""

from collections.abc import Sequence
from typing import Final

import pytest

from scoreboard.domain.boards import ALL_TIME, MAX_SCORE
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort, Ties
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from tests.contract.ranking.conftest import MakeRanking, order
from tests.making import change, standing
from tests.rankings import rank_of

STEP, LAST_PAGE = ChangeKind.STEP, ChangeKind.LAST_PAGE

KILLS: Final = Column("kills", Sort.DESCENDING, Aggregation.SUM)
SECONDS: Final = Column("seconds", Sort.ASCENDING, Aggregation.SUM)

GOLF: Final = Definition(sort=Sort.ASCENDING, ties=Ties.SHARED)


async def ranks(
    make_ranking: MakeRanking, definition: Definition, *values: Sequence[int]
) -> list[tuple[int, str, int]]:
    """Return rank, user and score of players who reached these values one after another."""
    rows = (standing(n, score, n, *columns) for n, (score, *columns) in enumerate(values, start=1))
    async with make_ranking(definition) as ranking:
        await ranking.apply(change(LAST_PAGE, 0, len(values), *rows))
        return await order(ranking)


async def test_the_lowest_score_ranks_first_if_the_sort_is_ascending(make_ranking: MakeRanking) -> None:
    found = await ranks(make_ranking, Definition(sort=Sort.ASCENDING), (50,), (-3,), (0,), (-3,))
    assert [user for _, user, _ in found] == ["user-2", "user-4", "user-3", "user-1"]


async def test_columns_rank_players_with_equal_scores(make_ranking: MakeRanking) -> None:
    definition = Definition(columns=(KILLS, SECONDS))
    found = await ranks(
        make_ranking, definition, (5, 1, 9), (5, 2, 9), (5, 2, -9), (7, -1, 0), (5, -MAX_SCORE, 0)
    )
    assert [user for _, user, _ in found] == ["user-4", "user-3", "user-2", "user-1", "user-5"]


async def test_columns_are_exact_up_to_the_ends_of_the_range(make_ranking: MakeRanking) -> None:
    extremes = (MAX_SCORE, MAX_SCORE - 1, 1, 0, -1, 1 - MAX_SCORE, -MAX_SCORE)
    async with make_ranking(Definition(columns=(KILLS, SECONDS), ties=Ties.LATEST)) as ranking:
        rows = (standing(n, -value, n, value, -value) for n, value in enumerate(extremes, start=1))
        await ranking.apply(change(LAST_PAGE, 0, len(extremes), *rows))
        entries = (await ranking.read("main", ALL_TIME, Page(100))).entries
    assert [(e.score, *e.columns) for e in entries] == [(-v, v, -v) for v in reversed(extremes)]
    assert [e.position for e in entries] == [
        (value, -value, -value, -number) for number, value in reversed(list(enumerate(extremes, start=1)))
    ]


async def test_the_last_one_to_reach_a_score_ranks_first_if_ties_are_latest(
    make_ranking: MakeRanking,
) -> None:
    found = await ranks(make_ranking, Definition(ties=Ties.LATEST), (50,), (50,), (60,), (50,))
    assert found == [(1, "user-3", 60), (2, "user-4", 50), (3, "user-2", 50), (4, "user-1", 50)]


async def test_players_with_equal_scores_share_a_rank_if_ties_are_shared(make_ranking: MakeRanking) -> None:
    found = await ranks(make_ranking, GOLF, (70,), (68,), (71,), (70,))
    assert found == [(1, "user-2", 68), (2, "user-1", 70), (2, "user-4", 70), (4, "user-3", 71)]


async def test_players_share_a_rank_only_if_their_columns_are_equal(make_ranking: MakeRanking) -> None:
    definition = Definition(columns=(KILLS,), ties=Ties.SHARED)
    found = await ranks(make_ranking, definition, (5, 1), (5, 2), (5, 1), (5, 2), (5, 0))
    assert found == [(1, "user-2", 5), (1, "user-4", 5), (3, "user-1", 5), (3, "user-3", 5), (5, "user-5", 5)]


@pytest.mark.parametrize("columns", [(), (KILLS,)], ids=["score", "columns"])
async def test_shared_ranks_are_exact_in_a_large_group_of_equals(
    make_ranking: MakeRanking, columns: tuple[Column, ...]
) -> None:
    count, equal = 3_000, 1_000
    definition = Definition(columns=columns, ties=Ties.SHARED)
    rows = [standing(n, 7, n, *(-(n // equal) for _ in columns)) for n in range(1, count)]
    async with make_ranking(definition) as ranking:
        await ranking.apply(change(LAST_PAGE, 0, count, *rows))
        for player in (1, 999, 1_000, 1_001, 1_500, 1_999, 2_000, 2_999):
            expected = 1 + player // equal * equal - (player >= equal) if columns else 1
            assert await rank_of(ranking, player) == expected
            (entry,) = (await ranking.read("main", ALL_TIME, Page(1, player - 1))).entries
            assert (entry.user_id, entry.rank) == (f"user-{player}", expected)


async def test_ranks_after_a_commit_are_shared_too(make_ranking: MakeRanking) -> None:
    async with make_ranking(GOLF) as ranking:
        await ranking.apply(change(LAST_PAGE, 0, 2, standing(1, 70, 1), standing(2, 68, 2)))
        step = change(STEP, 2, 4, standing(3, 70, 3), standing(4, 68, 4))
        assert (await ranking.apply(step)).ranks == {(ALL_TIME, 3): 2, (ALL_TIME, 4): 1}
        assert (await ranking.apply(step)).ranks == {(ALL_TIME, 3): 3, (ALL_TIME, 4): 1}
