"""The order of a board is the one of a history in which the events that are void now were never made."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import uuid4

import pytest

from scoreboard.domain import corrections
from scoreboard.domain.administration import Correction
from scoreboard.domain.events import EventKind
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.admin_store import AdminStore
from scoreboard.services.verify import verify
from tests.clocks import HeldClock
from tests.making import DUEL, QUEST, commit, submission
from tests.replay import reached_versions, replay

Step = Callable[[AdminStore], Awaitable[object]]


def award(user_id: str, action: str = "quest") -> Step:
    return lambda store: commit(store, submission(user_id, {"quest": QUEST, "duel": DUEL}[action]))


def _correct(correction: Correction) -> Step:
    return lambda store: store.correct(correction, partial(corrections.correct, correction, new_id=uuid4))


def void(version: int) -> Step:
    return _correct(Correction(EventKind.VOID, "root", "a test", board="main", target_version=version))


def unvoid(version: int) -> Step:
    return _correct(Correction(EventKind.UNVOID, "root", "a test", board="main", target_version=version))


def about(kind: EventKind, user_id: str = "ada", **given: object) -> Step:
    return _correct(Correction(kind, "root", "a test", user_id=user_id, **given))  # type: ignore[arg-type]


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
    "a void of an adjustment": (award("ada"), adjust("ada", 50), award("bob"), award("bob"), void(2), unvoid(2)),
    "a void of all of two players": (*EQUALS, void(2), void(1), unvoid(2), unvoid(1)),
}  # fmt: skip
"""Each ends where it was before the corrections: ada first, and each among equals by when the score was reached."""

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
    """Everything that tells who reached a score, and when, is the replay of the ledger; by whom, the version."""
    ledger = await store.events("main", 0, 1_000)
    expected = reached_versions(ledger, len(ledger))
    change = await store.changes("main", 0, 1_000)
    assert change.kind is ChangeKind.LAST_PAGE
    for standing in change.standings:
        assert standing.reached_version == expected[standing.player], standing
        assert standing.reached_at_us == ledger[standing.reached_version - 1].at_us
    page = await store.page("main", 100, 0)
    keys = {standing.user_id: standing.player for standing in change.standings}
    assert [(e.rank, keys[e.user_id], e.score) for e in page.entries] == replay(ledger, len(ledger))
    assert (await verify(store, None, "main", lambda *_: None)).differences == ()
    return {standing.user_id: standing.reached_version for standing in change.standings}


@pytest.mark.parametrize("steps", UNDONE.values(), ids=UNDONE.keys())
async def test_a_correction_that_is_undone_leaves_no_trace_in_the_order(
    store: AdminStore, clock: HeldClock, steps: Sequence[Step]
) -> None:
    await run(store, clock, steps)
    page = await store.page("main", 100, 0)
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
    page = await store.page("main", 100, 0)
    assert [(entry.user_id, entry.score) for entry in page.entries] == shown
    assert await check_reached(store) == reached
