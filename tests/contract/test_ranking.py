"""What every ranking keeps (`interfaces.Ranking`)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import Applied, Progress, Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.limits import LIMIT_SECONDS, PATIENT_REDIS
from tests.making import change, standing

STEP, PAGE, LAST_PAGE = ChangeKind.STEP, ChangeKind.PAGE, ChangeKind.LAST_PAGE

DRIVERS: Final = ("memory", "redis", "redis-cluster")


def make_ranking(request: pytest.FixtureRequest) -> Ranking:
    if request.param == "memory":
        return MemoryRanking()
    is_cluster = request.param == "redis-cluster"
    return RedisRanking(
        request.getfixturevalue("redis_cluster").url if is_cluster else request.getfixturevalue("redis_url"),
        ["main"],
        prefix=request.getfixturevalue("redis_prefix"),
        is_cluster=is_cluster,
        limits=PATIENT_REDIS,
    )


@pytest.fixture(params=DRIVERS)
async def empty(request: pytest.FixtureRequest) -> AsyncIterator[Ranking]:
    async with make_ranking(request) as ranking:
        yield ranking


@pytest.fixture
async def ranking(empty: Ranking) -> Ranking:
    """One that is readable: the board has no events yet."""
    await empty.apply(change(LAST_PAGE, 0, 0))
    return empty


async def order(ranking: Ranking) -> list[tuple[int, str, int]]:
    return [(e.rank, e.user_id, e.score) for e in (await ranking.page("main", 1_000, 0)).entries]


async def test_a_copy_is_not_readable_before_it_is_filled(empty: Ranking) -> None:
    assert await empty.progress("main") == Progress(0, readable=False)
    with pytest.raises(RankingUnavailable):
        await empty.page("main", 10, 0)
    with pytest.raises(RankingUnavailable):
        await empty.rank("main", 1)


async def test_an_empty_board_is_readable_once_that_is_known(ranking: Ranking) -> None:
    assert await ranking.progress("main") == Progress(0, readable=True)
    page = await ranking.page("main", 10, 0)
    assert (page.version, page.players, page.entries) == (0, 0, ())


async def test_steps_are_applied_in_order(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 30, 2)))
    await ranking.apply(change(STEP, 2, 3, standing(2, 60, 3)))
    assert await order(ranking) == [(1, "user-2", 60), (2, "user-1", 50)]
    page = await ranking.page("main", 10, 0)
    assert (page.version, page.at_us, page.players) == (3, 3_000, 2)
    assert page.entries[0].reached_at_us == 3_000


async def test_ranks_are_those_at_the_version_of_each_event(ranking: Ranking) -> None:
    applied = await ranking.apply(
        change(STEP, 0, 3, standing(1, 50, 1), standing(2, 80, 2), standing(3, 60, 3))
    )
    assert applied == Applied(3, readable=True, moved=True, ranks={1: 1, 2: 1, 3: 2})


async def test_of_equal_scores_the_one_reached_first_is_first(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 3, standing(9, 50, 1), standing(5, 50, 2), standing(7, 50, 3)))
    assert [user for _, user, _ in await order(ranking)] == ["user-9", "user-5", "user-7"]


async def test_a_standing_keeps_its_place_while_its_score_stays(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 50, 2)))
    await ranking.apply(change(STEP, 2, 3, standing(1, 50, 3, reached_version=1)))
    assert [user for _, user, _ in await order(ranking)] == ["user-1", "user-2"]


async def test_scores_are_exact_up_to_the_ends_of_the_range(ranking: Ranking) -> None:
    scores = [MAX_SCORE, MAX_SCORE - 1, 1, 0, -1, 1 - MAX_SCORE, -MAX_SCORE]
    await ranking.apply(change(STEP, 0, 7, *(standing(n, score, n + 1) for n, score in enumerate(scores))))
    assert [score for _, _, score in await order(ranking)] == scores


async def test_a_gap_changes_nothing(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    assert await ranking.apply(change(STEP, 2, 3, standing(2, 90, 3))) == Applied(
        1, readable=True, moved=False, ranks={}
    )
    assert await order(ranking) == [(1, "user-1", 50)]


async def test_what_is_known_changes_nothing(ranking: Ranking) -> None:
    step = change(STEP, 0, 1, standing(1, 50, 1))
    await ranking.apply(step)
    await ranking.apply(change(STEP, 1, 2, standing(1, 70, 2)))
    assert await ranking.apply(step) == Applied(2, readable=True, moved=False, ranks={1: 1})
    assert await order(ranking) == [(1, "user-1", 70)]


async def test_a_change_that_is_known_in_part_is_completed(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 90, 2)))
    applied = await ranking.apply(change(LAST_PAGE, 1, 3, standing(2, 90, 2), standing(3, 60, 3)))
    assert applied.version == 3
    assert await order(ranking) == [(1, "user-2", 90), (2, "user-3", 60), (3, "user-1", 50)]


async def test_an_older_standing_never_replaces_a_newer_one(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 90, 2)))
    await ranking.apply(change(LAST_PAGE, 0, 3, standing(2, 40, 1), standing(3, 60, 3)))
    assert (1, "user-2", 90) in await order(ranking)


async def test_a_copy_between_pages_is_not_readable_and_takes_no_step(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 2, standing(1, 50, 1), standing(2, 30, 2)))
    assert await empty.progress("main") == Progress(2, readable=False)
    applied = await empty.apply(change(STEP, 2, 3, standing(1, 90, 3)))
    assert applied == Applied(2, readable=False, moved=False, ranks={})
    with pytest.raises(RankingUnavailable):
        await empty.page("main", 10, 0)


async def test_the_last_page_makes_a_copy_readable(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 1, standing(1, 50, 1)))
    await empty.apply(change(LAST_PAGE, 1, 3, standing(2, 60, 3)))
    assert await empty.progress("main") == Progress(3, readable=True)
    assert await order(empty) == [(1, "user-2", 60), (2, "user-1", 50)]


async def test_the_last_page_may_be_empty(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 1, standing(1, 50, 1)))
    await empty.apply(change(LAST_PAGE, 1, 1))
    assert await order(empty) == [(1, "user-1", 50)]


async def test_a_page_for_a_copy_that_was_lost_meanwhile_changes_nothing(empty: Ranking) -> None:
    await empty.apply(change(PAGE, 0, 1, standing(1, 50, 1)))
    lost = (await empty.progress("main")).copy
    await empty.drop("main")
    # Another process begins a new one: player 2, whom its next page is to bring, has moved on from version 1 meanwhile.
    await empty.apply(change(PAGE, 0, 2, standing(1, 60, 2)), (await empty.progress("main")).copy)
    begun = (await empty.progress("main")).copy
    assert begun not in {"", lost}
    late = await empty.apply(change(LAST_PAGE, 1, 3, standing(3, 10, 3)), lost)
    assert late == Applied(2, readable=False, moved=False, ranks={})
    await empty.apply(change(LAST_PAGE, 2, 4, standing(3, 10, 3), standing(2, 70, 4)), begun)
    assert await order(empty) == [(1, "user-2", 70), (2, "user-1", 60), (3, "user-3", 10)]


async def test_somebody_who_is_not_listed_has_no_place(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 2, standing(1, 50, 1), standing(2, 30, 2)))
    applied = await ranking.apply(change(STEP, 2, 3, standing(1, 50, 3, reached_version=1, listed=False)))
    assert applied.ranks == {}
    assert await ranking.rank("main", 1) is None
    page = await ranking.page("main", 10, 0)
    assert (page.players, [e.user_id for e in page.entries]) == (1, ["user-2"])
    await ranking.apply(change(STEP, 3, 4, standing(1, 50, 4, reached_version=1)))
    assert await ranking.rank("main", 1) == 1


async def test_pages_and_places_agree(ranking: Ranking) -> None:
    count = 5_000
    await ranking.apply(
        change(STEP, 0, count, *(standing(n, n * 7_919 % 1_000, n) for n in range(1, count + 1)))
    )
    page = await ranking.page("main", 50, 2_345)
    assert [e.rank for e in page.entries] == list(range(2_346, 2_396))
    assert page.players == count
    for entry in page.entries[::10]:
        assert await ranking.rank("main", int(entry.user_id.removeprefix("user-"))) == entry.rank


async def test_past_the_end_there_is_nothing(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    assert (await ranking.page("main", 10, 1)).entries == ()
    assert (await ranking.page("main", 10, 2**53 - 1)).entries == ()
    assert await ranking.rank("main", 99) is None


async def test_boards_are_apart(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    assert await ranking.progress("side") == Progress(0, readable=False)


async def test_a_new_name_is_seen_on_every_board(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    await ranking.apply(
        replace(change(LAST_PAGE, 0, 1, replace(standing(1, 5, 1), name="New")), board="side")
    )
    assert (await ranking.page("main", 1, 0)).entries[0].name == "New"


async def test_an_old_name_never_replaces_a_newer_one(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 5, replace(standing(1, 50, 5), name="New")))
    # The versions of two boards say nothing about the names: a process that was stopped applies an old name late.
    old = replace(standing(1, 5, 9), name="Old", seq=4)
    await ranking.apply(replace(change(LAST_PAGE, 0, 9, old), board="side"))
    assert [(await ranking.page(board, 1, 0)).entries[0].name for board in ("main", "side")] == ["New", "New"]


async def test_after_a_restored_backup_a_key_may_belong_to_another_player(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 9, replace(standing(1, 50, 9), name="Lost")))
    await ranking.drop("main")
    await ranking.apply(change(LAST_PAGE, 0, 1, replace(standing(1, 5, 1), user_id="other")))
    assert [(e.user_id, e.name) for e in (await ranking.page("main", 1, 0)).entries] == [("other", None)]


async def test_a_dropped_copy_stands_at_the_beginning(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    await ranking.drop("main")
    assert await ranking.progress("main") == Progress(0, readable=False)
    await ranking.apply(change(LAST_PAGE, 0, 1, standing(2, 20, 1)))
    assert await order(ranking) == [(1, "user-2", 20)]


async def test_a_change_is_announced(ranking: Ranking) -> None:
    changed = ranking.changed_boards()
    async with asyncio.timeout(LIMIT_SECONDS):
        assert await anext(changed) == "main"
        waiting = asyncio.ensure_future(anext(changed))
        await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
        assert await waiting == "main"
    await changed.aclose()  # type: ignore[attr-defined]
