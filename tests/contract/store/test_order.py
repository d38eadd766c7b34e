"""Each store answers every query in the order that a board's definition gives."""

import pytest

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.definitions import Definition, Sort
from scoreboard.domain.errors import NotAdjustable
from scoreboard.domain.events import EventKind
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players, Query
from scoreboard.domain.submissions import Submission
from scoreboard.ports.admin_store import AdminStore
from tests.contract.conftest import OpenStore
from tests.contract.correcting import about, correct, of_event
from tests.contract.store.kinds_of_boards import (
    BEST_LAP,
    EVENTS,
    RACE,
    RATING,
    board,
    check,
    rows,
    shown,
    submit,
    value,
)
from tests.making import SIDE

ORDERS: dict[str, tuple[Definition, list[Submission], list[tuple[object, ...]]]] = {
    "the lowest best value": (
        BEST_LAP,
        [value("ada", 70), value("bob", 60), value("cyd", 60), value("ada", 75), value("dan", 61)],
        [(1, "bob", 60), (1, "cyd", 60), (3, "dan", 61), (4, "ada", 70)],
    ),
    "the latest value, the last one first": (
        RATING,
        [value("ada", 9), value("bob", 7), value("ada", 7), value("cyd", -3)],
        [(1, "ada", 7), (2, "bob", 7), (3, "cyd", -3)],
    ),
    "a sum, then the best lap, then the fewest pits": (
        RACE,
        [value("ada", 5, 60, 1), value("bob", 5, 59, 9), value("cyd", 5, 60, 0), value("bob", 0, 61, 1)],
        [(1, "bob", 5, 59, 10), (2, "cyd", 5, 60, 0), (3, "ada", 5, 60, 1)],
    ),
    "the best event as a whole": (
        EVENTS,
        [value("ada", 5, 60), value("ada", 5, 59), value("ada", 4, 1), value("bob", 5, 58)],
        [(1, "bob", 5, 58), (2, "ada", 5, 59)],
    ),
    "the largest values": (
        RACE,
        [value("ada", MAX_SCORE, -MAX_SCORE, 0), value("bob", -MAX_SCORE, MAX_SCORE, MAX_SCORE)],
        [(1, "ada", MAX_SCORE, -MAX_SCORE, 0), (2, "bob", -MAX_SCORE, MAX_SCORE, MAX_SCORE)],
    ),
}


@pytest.mark.parametrize(("definition", "batch", "expected"), ORDERS.values(), ids=ORDERS.keys())
async def test_a_board_has_the_values_and_the_order_of_its_definition(
    open_store: OpenStore, definition: Definition, batch: list[Submission], expected: list[tuple[object, ...]]
) -> None:
    own = board(definition)
    store = await open_store(boards=[own, SIDE])
    written = [await submit(store, own, one) for one in batch]
    assert await shown(store) == expected
    assert await store.events("main", 0, 100) == [event for decision in written for event in decision.events]
    change = await store.changes("main", 0, 100)
    newest = {one.player: one for decision in written for one in decision.changes[0].standings}
    assert change.standings == tuple(sorted(newest.values(), key=lambda one: one.version))
    await check(store)


SHARED = [(1, "b", 60), (1, "c", 60), (1, "d", 60), (4, "e", 61), (4, "f", 61), (6, "a", 70)]
QUERIES: dict[str, tuple[Query, list[int]]] = {
    "the first rows": (Page(4), [0, 1, 2, 3]),
    "rows within a shared rank": (Page(3, 2), [2, 3, 4]),
    "rows beyond the end": (Page(3, 6), []),
    "around the first": (Around(2, 3), [0, 1, 2]),
    "around one in the middle": (Around(4, 3), [1, 2, 3]),
    "around the last": (Around(1, 4), [2, 3, 4, 5]),
    "more around than there are": (Around(4, 100), [0, 1, 2, 3, 4, 5]),
    "around an unknown player": (Around(99, 3), []),
    "players": (Players((6, 1, 3, 99)), [1, 4, 5]),
    "no players": (Players(()), []),
    "ranks": (AtRanks((6, 1, 3, 3, 7)), [0, 2, 5]),
}


@pytest.mark.parametrize(("query", "indexes"), QUERIES.values(), ids=QUERIES.keys())
async def test_each_query_has_exact_ranks_also_if_they_are_shared(
    open_store: OpenStore, query: Query, indexes: list[int]
) -> None:
    own = board(BEST_LAP)
    store = await open_store(boards=[own, SIDE])
    batch = [value("a", 70), value("b", 60), value("c", 60), value("d", 60), value("e", 61), value("f", 61)]
    await submit(store, own, *batch)
    assert await shown(store, query) == [SHARED[index] for index in indexes]
    snapshot = await store.read("main", "all", query)
    assert (snapshot.version, snapshot.players, snapshot.period) == (6, 6, "all")


@pytest.mark.parametrize("definition", [BEST_LAP, RATING, RACE, EVENTS])
async def test_a_reader_with_a_cursor_sees_each_row_that_does_not_move_once(
    open_store: OpenStore, definition: Definition
) -> None:
    own = board(definition)
    store = await open_store(boards=[own, SIDE])
    columns = (5,) * len(definition.columns)
    await submit(store, own, *(value(f"user-{n}", 100 + n // 3, *columns) for n in range(12)))
    expected = [entry.user_id for entry in await rows(store)]
    seen = list(await rows(store, Page(3)))
    # One that was read moves to the end, and another one is removed.
    last = 100_000 if own.definition.sort is Sort.ASCENDING else -100_000
    await submit(store, own, value(expected[0], last, *columns))
    await correct(store, about(EventKind.BAN, expected[4]))
    now = {entry.user_id: entry for entry in await rows(store)}
    while more := await rows(store, After(seen[-1].position, 3)):
        assert [entry.rank for entry in more] == [now[entry.user_id].rank for entry in more]
        seen += more
    still = [user_id for user_id in expected if user_id not in {expected[0], expected[4]}]
    assert [entry.user_id for entry in seen if entry.user_id in still] == still


async def test_known_players_are_found_by_their_ids(open_store: OpenStore) -> None:
    store = await open_store()
    own = board(BEST_LAP)
    (ada, bob) = (await submit(store, own, value("ada", 1), value("bob", 2))).events
    await correct(store, about(EventKind.ERASE, "bob"))
    assert await store.player_keys(["ada", "bob", "nobody"]) == {"ada": ada.player}
    assert bob.player != ada.player


@pytest.mark.parametrize(
    ("definition", "target", "after_void", "after_unvoid"),
    [(BEST_LAP, 2, (70, 1), (60, 2)), (RATING, 3, (60, 2), (80, 3))],
    ids=["best", "latest"],
)
async def test_a_void_leaves_the_value_of_the_events_that_still_count(
    open_store: OpenStore,
    definition: Definition,
    target: int,
    after_void: tuple[int, int],
    after_unvoid: tuple[int, int],
) -> None:
    own = board(definition)
    store = await open_store(boards=[own, SIDE])
    for points in (70, 60, 80):
        await submit(store, own, value("ada", points))
    await correct(store, of_event(EventKind.VOID, target))
    assert await reached(store) == [after_void]
    await correct(store, about(EventKind.VOID, since_us=0))
    assert await reached(store) == []
    await correct(store, of_event(EventKind.UNVOID, target))
    assert await reached(store) == [after_unvoid]
    with pytest.raises(NotAdjustable):
        await correct(store, about(EventKind.ADJUST, board="main", points=5))
    await check(store)


async def reached(store: AdminStore) -> list[tuple[int, int]]:
    """Return the score of each listed player, and the event that reached it."""
    return [(entry.score, abs(entry.position[-1])) for entry in await rows(store)]
