"""Each ranking answers questions about players and positions."""

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players, Query
from scoreboard.domain.standings import ChangeKind, Entry
from scoreboard.ports.ranking import Ranking
from tests.making import change, standing

STEP = ChangeKind.STEP
COUNT = 9


@pytest.fixture
async def nine(ranking: Ranking) -> Ranking:
    """A ranking of nine players, whose ranks are their keys."""
    rows = (standing(n, 100 - 10 * n, n) for n in range(1, COUNT + 1))
    await ranking.apply(change(STEP, 0, COUNT, *rows))
    return ranking


async def entries(ranking: Ranking, query: Query) -> tuple[Entry, ...]:
    snapshot = await ranking.read("main", ALL_TIME, query)
    assert (snapshot.version, snapshot.players, snapshot.period) == (COUNT, COUNT, ALL_TIME)
    return snapshot.entries


async def ranks(ranking: Ranking, query: Query) -> list[int]:
    found = await entries(ranking, query)
    assert [entry.user_id for entry in found] == [f"user-{entry.rank}" for entry in found]
    return [entry.rank for entry in found]


@pytest.mark.parametrize(
    ("player", "limit", "expected"),
    [
        (5, 3, [4, 5, 6]),
        (5, 4, [4, 5, 6, 7]),
        (1, 3, [1, 2, 3]),
        (2, 5, [1, 2, 3, 4, 5]),
        (9, 3, [7, 8, 9]),
        (5, 100, list(range(1, 10))),
        (5, 1, [5]),
        (99, 3, []),
    ],
)
async def test_around_a_player_are_as_many_rows_as_the_board_has(
    nine: Ranking, player: int, limit: int, expected: list[int]
) -> None:
    assert await ranks(nine, Around(player, limit)) == expected


async def test_players_are_returned_in_the_order_of_the_board(nine: Ranking) -> None:
    assert await ranks(nine, Players((7, 99, 2, 5, 2))) == [2, 5, 7]
    assert await ranks(nine, Players(())) == []


async def test_rows_at_ranks_are_returned_once(nine: Ranking) -> None:
    assert await ranks(nine, AtRanks((9, 1, 4, 10, 4, 0))) == [1, 4, 9]


async def test_pages_after_positions_have_each_row_once(nine: Ranking) -> None:
    first = await entries(nine, Page(4))
    assert await ranks(nine, After(first[-1].position, 3)) == [5, 6, 7]
    assert await ranks(nine, After((-10_000, 0), 2)) == [1, 2]
    assert await ranks(nine, After((10_000, 0), 2)) == []


async def test_rows_that_do_not_move_are_neither_repeated_nor_left_out(ranking: Ranking) -> None:
    await ranking.apply(change(STEP, 0, 6, *(standing(n, 50, n) for n in range(1, 7))))
    first = (await ranking.read("main", ALL_TIME, Page(3))).entries
    # The last row of the page rises, one falls, and a new player arrives further up.
    await ranking.apply(change(STEP, 6, 9, standing(3, 70, 7), standing(1, 40, 8), standing(8, 60, 9)))
    after = await ranking.read("main", ALL_TIME, After(first[-1].position, 10))
    assert [(e.rank, e.user_id) for e in after.entries] == [
        (4, "user-4"),
        (5, "user-5"),
        (6, "user-6"),
        (7, "user-1"),
    ]


async def test_a_player_who_is_not_listed_is_on_no_answer(nine: Ranking) -> None:
    await nine.apply(change(STEP, COUNT, COUNT + 1, standing(5, 50, COUNT + 1, listed=False)))
    for query in (Around(5, 3), Players((5,))):
        snapshot = await nine.read("main", ALL_TIME, query)
        assert (snapshot.players, snapshot.entries) == (COUNT - 1, ())
