"""Each ranking has an order for each open period of a board, at the version of the board."""

from collections.abc import AsyncIterator

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.queries import Page, Players
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import CopyState, Ranking
from tests.contract.ranking.conftest import MakeRanking, order
from tests.making import change, standing
from tests.rankings import rank_of

STEP, PAGE, LAST_PAGE = ChangeKind.STEP, ChangeKind.PAGE, ChangeKind.LAST_PAGE

DAILY = Definition(periods=(PeriodKind.DAY, PeriodKind.WEEK))
FRIDAY, SATURDAY, WEEK = "2026-11-27", "2026-11-28", "2026-W48"
ON_FRIDAY = (ALL_TIME, FRIDAY, WEEK)
ON_SATURDAY = (ALL_TIME, SATURDAY, WEEK)


@pytest.fixture
async def unfilled(make_ranking: MakeRanking) -> AsyncIterator[Ranking]:
    async with make_ranking(DAILY) as ranking:
        yield ranking


@pytest.fixture
async def friday(unfilled: Ranking) -> Ranking:
    """A ranking after two events of one Friday and the rollovers before them."""
    await unfilled.apply(change(LAST_PAGE, 0, 2, periods=ON_FRIDAY))
    rows = [
        standing(player, score, version, period=period)
        for player, score, version in ((1, 50, 3), (2, 30, 4))
        for period in ON_FRIDAY
    ]
    await unfilled.apply(change(STEP, 2, 4, *rows, periods=ON_FRIDAY))
    return unfilled


async def test_a_commit_moves_a_player_in_each_open_period(friday: Ranking) -> None:
    rows = [
        standing(2, score, 5, period=period) for period, score in zip(ON_FRIDAY, (90, 60, 40), strict=True)
    ]
    applied = await friday.apply(change(STEP, 4, 5, *rows, periods=ON_FRIDAY))
    assert applied.ranks == {(ALL_TIME, 2): 1, (FRIDAY, 2): 1, (WEEK, 2): 2}
    assert await order(friday) == [(1, "user-2", 90), (2, "user-1", 50)]
    assert await order(friday, FRIDAY) == [(1, "user-2", 60), (2, "user-1", 50)]
    assert await order(friday, WEEK) == [(1, "user-1", 50), (2, "user-2", 40)]
    snapshot = await friday.read("main", FRIDAY, Page(1))
    assert (snapshot.version, snapshot.reading_us, snapshot.players, snapshot.period) == (5, 5_000, 2, FRIDAY)


async def test_ranks_are_those_right_after_each_event_in_each_period(friday: Ranking) -> None:
    rows = [
        standing(player, score, version, period=period)
        for player, score, version in ((3, 60, 5), (4, 70, 6))
        for period in ON_FRIDAY
    ]
    applied = await friday.apply(change(STEP, 4, 6, *rows, periods=ON_FRIDAY))
    assert applied.ranks == {(period, player): 1 for period in ON_FRIDAY for player in (3, 4)}


async def test_a_rollover_empties_a_period_and_keeps_the_others(friday: Ranking) -> None:
    await friday.apply(change(STEP, 4, 5, periods=ON_SATURDAY))
    assert await friday.copy_state("main") == CopyState(5, readable=True)
    assert await order(friday, SATURDAY) == []
    assert await order(friday, WEEK) == await order(friday) == [(1, "user-1", 50), (2, "user-2", 30)]
    with pytest.raises(RankingUnavailable):
        await friday.read("main", FRIDAY, Page(10))


async def test_standings_of_periods_that_are_not_open_are_skipped(friday: Ranking) -> None:
    await friday.apply(change(STEP, 4, 5, periods=ON_SATURDAY))
    # A correction of an event of Friday.
    rows = [standing(1, 20, 6, period=period) for period in (ALL_TIME, FRIDAY, WEEK)]
    applied = await friday.apply(change(STEP, 5, 6, *rows, periods=ON_SATURDAY))
    assert applied.ranks == {(ALL_TIME, 1): 2, (WEEK, 1): 2}
    with pytest.raises(RankingUnavailable):
        await friday.read("main", FRIDAY, Page(10))
    await friday.apply(change(STEP, 6, 7, periods=ON_FRIDAY))
    assert await order(friday, FRIDAY) == []


async def test_a_known_change_of_a_period_that_is_over_has_the_ranks_of_the_open_ones(
    friday: Ranking,
) -> None:
    step = change(STEP, 4, 5, *(standing(2, 90, 5, period=p) for p in ON_FRIDAY), periods=ON_FRIDAY)
    await friday.apply(step)
    await friday.apply(change(STEP, 5, 6, periods=ON_SATURDAY))
    assert (await friday.apply(step)).ranks == {(ALL_TIME, 2): 1, (WEEK, 2): 1}


async def test_a_copy_is_filled_with_standings_of_several_periods(unfilled: Ranking) -> None:
    page = [standing(1, 50, 3, period=period) for period in ON_FRIDAY]
    await unfilled.apply(change(PAGE, 0, 3, *page, periods=ON_FRIDAY))
    with pytest.raises(RankingUnavailable):
        await unfilled.read("main", FRIDAY, Page(10))
    # The day has ended meanwhile.
    last = [standing(2, 70, 5, period=period) for period in ON_SATURDAY]
    await unfilled.apply(change(LAST_PAGE, 3, 5, *last, periods=ON_SATURDAY))
    assert await order(unfilled, SATURDAY) == [(1, "user-2", 70)]
    assert await order(unfilled, WEEK) == [(1, "user-2", 70), (2, "user-1", 50)]


async def test_a_player_is_hidden_in_every_period(friday: Ranking) -> None:
    rows = [standing(1, 50, 5, reached_version=3, listed=False, period=period) for period in ON_FRIDAY]
    await friday.apply(change(STEP, 4, 5, *rows, periods=ON_FRIDAY))
    for period in ON_FRIDAY:
        assert await rank_of(friday, 1, period=period) is None
        assert await order(friday, period) == [(1, "user-2", 30)]


async def test_a_dropped_copy_has_no_rows_of_its_periods(friday: Ranking) -> None:
    await friday.drop("main")
    await friday.apply(change(LAST_PAGE, 0, 1, standing(3, 10, 1, period=WEEK), periods=ON_FRIDAY))
    assert await order(friday, WEEK) == [(1, "user-3", 10)]
    assert await order(friday, FRIDAY) == []


async def test_the_open_period_of_a_kind_is_read_in_the_same_step(friday: Ranking) -> None:
    assert (await friday.read("main", "day", Page(10))) == await friday.read("main", FRIDAY, Page(10))
    assert (await friday.read("main", "week", Players((1,)))).period == WEEK
    await friday.apply(change(STEP, 4, 5, periods=ON_SATURDAY))
    snapshot = await friday.read("main", "day", Page(10))
    assert (snapshot.period, snapshot.version, snapshot.entries) == (SATURDAY, 5, ())
    assert await order(friday, "week") == await order(friday, WEEK)


async def test_a_kind_without_an_open_period_cannot_be_read(friday: Ranking) -> None:
    for kind in ("month", "year"):
        with pytest.raises(RankingUnavailable):
            await friday.read("main", kind, Page(10))
