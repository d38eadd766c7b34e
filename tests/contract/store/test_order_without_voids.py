"""The order of a board is the one of its history without the events that are void now."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import EventKind
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.admin_store import AdminStore
from tests.clocks import HeldClock
from tests.contract import correcting
from tests.contract.correcting import check_boards, correct, of_event
from tests.making import DUEL, QUEST, commit, submission
from tests.replay import reached_versions

Step = Callable[[AdminStore], Awaitable[object]]


def award(user_id: str, action: str = "quest") -> Step:
    return lambda store: commit(store, submission(user_id, {"quest": QUEST, "duel": DUEL}[action]))


def void(version: int) -> Step:
    return lambda store: correct(store, of_event(EventKind.VOID, version))


def unvoid(version: int) -> Step:
    return lambda store: correct(store, of_event(EventKind.UNVOID, version))


def about(kind: EventKind, user_id: str = "ada", **given: object) -> Step:
    return lambda store: correct(store, correcting.about(kind, user_id, **given))


def adjust(user_id: str, points: int) -> Step:
    return about(EventKind.ADJUST, user_id, board="main", points=points)


VOID_ALL = about(EventKind.VOID, since_us=0)

EQUALS = (award("ada"), award("bob"), award("cyd"))
TWICE = (award("ada"), award("ada"), award("bob"), award("bob"))
"""Versions 1 and 2 are ada's, 3 and 4 are bob's."""

UNDONE: dict[str, Sequence[Step]] = {
    "a void": (*EQUALS, void(1), unvoid(1)),
    "a void, twice": (*EQUALS, void(1), unvoid(1), void(1), unvoid(1)),
    "a ban": (*EQUALS, about(EventKind.BAN), about(EventKind.UNBAN)),
    "a void during a ban": (
        *EQUALS, about(EventKind.BAN), void(1), about(EventKind.UNBAN), unvoid(1)
    ),
    "two voids, in their order": (*TWICE, void(1), void(2), unvoid(1), unvoid(2)),
    "two voids, in another order": (*TWICE, void(1), void(2), unvoid(2), unvoid(1)),
    "all of a player, the oldest first": (*TWICE, VOID_ALL, unvoid(1), unvoid(2)),
    "all of a player, the newest first": (*TWICE, VOID_ALL, unvoid(2), unvoid(1)),
    "a void of an adjustment": (award("ada"), adjust("ada", 50), *2 * [award("bob")], void(2), unvoid(2)),
    "a void of all of two players": (*EQUALS, void(2), void(1), unvoid(2), unvoid(1)),
}  # fmt: skip
"""Each ends with the order from before the corrections: the players reached equal scores in this order."""

LEFT: dict[str, tuple[Sequence[Step], list[tuple[str, int]], dict[str, int]]] = {
    "the newest award is void": (
        (award("ada"), award("bob"), award("ada"), void(3)),
        [("ada", 50), ("bob", 50)],
        {"ada": 1, "bob": 2},
    ),
    "an older award is void": (
        (award("ada"), award("bob"), award("ada"), void(1)),
        [("bob", 50), ("ada", 50)],
        {"bob": 2, "ada": 3},
    ),
    "an award comes between a void and its end": (
        (award("ada"), void(1), award("ada"), award("bob"), award("bob"), unvoid(1)),
        [("ada", 100), ("bob", 100)],
        {"ada": 3, "bob": 5},
    ),
    "the newest counts again, and an older one does not": (
        (award("ada"), award("ada"), award("bob"), void(2), void(1), unvoid(2)),
        [("ada", 50), ("bob", 50)],
        {"ada": 2, "bob": 3},
    ),
    "an adjustment is taken back by another": (
        (award("ada"), award("bob"), adjust("ada", 7), adjust("ada", -7)),
        [("bob", 50), ("ada", 50)],
        {"bob": 2, "ada": 4},
    ),
    "an adjustment is taken back by a void": (
        (award("ada"), award("bob"), adjust("ada", 7), void(3)),
        [("ada", 50), ("bob", 50)],
        {"ada": 1, "bob": 2},
    ),
    "a score below zero": (
        (award("ada"), award("bob"), adjust("ada", -60), adjust("bob", -60), award("ada"), void(5)),
        [("ada", -10), ("bob", -10)],
        {"ada": 3, "bob": 4},
    ),
    "a score back at 0 by an adjustment": (
        (award("ada"), award("bob"), adjust("bob", -50), adjust("ada", -50)),
        [("bob", 0), ("ada", 0)],
        {"bob": 3, "ada": 4},
    ),
    "a score back at 0 by voids, the later player first": (
        (award("ada"), award("bob"), award("bob"), void(3), void(2), void(1)),
        [("ada", 0), ("bob", 0)],
        {"ada": 1, "bob": 2},
    ),
    "an adjustment that began a board is void, and an award follows": (
        (award("ada"), award("bob"), adjust("ada", 5), void(1), void(3), award("ada")),
        [("bob", 50), ("ada", 50)],
        {"bob": 2, "ada": 6},
    ),
}  # fmt: skip


async def run(store: AdminStore, clock: HeldClock, steps: Sequence[Step]) -> None:
    for step in steps:
        await step(store)
        clock.advance(1)


async def check_reached(store: AdminStore) -> dict[str, int]:
    """Check the boards and the reached versions. Return the reached version of each player."""
    await check_boards(store)
    ledger = await store.events("main", 0, 1_000)
    expected = reached_versions(ledger, len(ledger))
    change = await store.changes("main", 0, 1_000)
    assert change.kind is ChangeKind.LAST_PAGE
    for standing in change.standings:
        assert standing.reached_version == expected[standing.player], standing
        assert standing.reached_at_us == ledger[standing.reached_version - 1].at_us
    return {standing.user_id: standing.reached_version for standing in change.standings}


@pytest.mark.parametrize("steps", UNDONE.values(), ids=UNDONE.keys())
async def test_a_correction_that_is_undone_does_not_change_the_order(
    store: AdminStore, clock: HeldClock, steps: Sequence[Step]
) -> None:
    await run(store, clock, steps)
    page = await store.read("main", ALL_TIME, Page(100))
    assert [entry.user_id for entry in page.entries] == ["ada", "bob", "cyd"][: len(page.entries)]
    assert len({entry.score for entry in page.entries}) == 1
    await check_reached(store)


@pytest.mark.parametrize(("steps", "shown", "reached"), LEFT.values(), ids=LEFT.keys())
async def test_a_score_is_reached_by_the_last_event_that_counts(
    store: AdminStore,
    clock: HeldClock,
    steps: Sequence[Step],
    shown: list[tuple[str, int]],
    reached: dict[str, int],
) -> None:
    await run(store, clock, steps)
    page = await store.read("main", ALL_TIME, Page(100))
    assert [(entry.user_id, entry.score) for entry in page.entries] == shown
    assert await check_reached(store) == reached
