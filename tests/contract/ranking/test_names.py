"""Each ranking keeps the newest name of a player."""

from dataclasses import replace

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import Ranking
from tests.making import change, standing

STEP, PAGE, LAST_PAGE = ChangeKind.STEP, ChangeKind.PAGE, ChangeKind.LAST_PAGE


async def test_a_new_name_is_seen_on_every_board(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    await ranking.apply(
        replace(change(LAST_PAGE, 0, 1, replace(standing(1, 5, 1), name="New")), board="side")
    )
    assert (await ranking.read("main", ALL_TIME, Page(1))).entries[0].name == "New"


async def test_an_old_name_never_replaces_a_newer_one(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 5, replace(standing(1, 50, 5), name="New")))
    # The versions of two boards do not order names: a process that was suspended may apply an old name late.
    old = replace(standing(1, 5, 9), name="Old", name_version=4)
    await ranking.apply(replace(change(LAST_PAGE, 0, 9, old), board="side"))
    assert [(await ranking.read(board, ALL_TIME, Page(1))).entries[0].name for board in ("main", "side")] == [
        "New",
        "New",
    ]


async def test_after_a_restored_backup_a_key_may_belong_to_another_player(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 9, replace(standing(1, 50, 9), name="Lost")))
    await ranking.drop("main")
    await ranking.apply(change(LAST_PAGE, 0, 1, replace(standing(1, 5, 1), user_id="other")))
    assert [(e.user_id, e.name) for e in (await ranking.read("main", ALL_TIME, Page(1))).entries] == [
        ("other", None)
    ]
