"""Each store writes corrections with the facts that they need."""

from collections.abc import Mapping
from uuid import uuid4

import pytest

from scoreboard.domain import corrections
from scoreboard.domain.administration import Correction, CorrectionFacts
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import UnknownEvent, UnknownPlayer
from scoreboard.domain.events import EventKind
from scoreboard.domain.standings import ChangeKind, Player
from scoreboard.ports.admin_store import AdminStore
from scoreboard.services import administer
from scoreboard.settings.catalog import Catalog
from scoreboard.store.administration import facts as correction_facts
from tests.clocks import HeldClock
from tests.contract.correcting import about, check_boards, correct, of_event, ranks
from tests.making import DUEL, MAIN, VISIT, commit, submission
from tests.service import ApplierOf


async def test_a_ban_removes_a_player_from_every_board_until_an_unban(store: AdminStore) -> None:
    await commit(store, submission("ada"), submission("bob"))
    await commit(store, submission("ada", VISIT))
    decision = await correct(store, about(EventKind.BAN))
    assert [(e.board, e.version, e.points) for e in decision.events] == [("main", 3, 0), ("side", 2, 0)]
    assert (await ranks(store), await ranks(store, "side")) == ([("bob", 50)], [])
    assert await commit(store, submission("ada")) == []
    await correct(store, about(EventKind.UNBAN))
    assert await ranks(store) == [("ada", 50), ("bob", 50)]
    assert len(await commit(store, submission("ada"))) == 1
    await check_boards(store)


async def test_a_correction_is_written_as_it_was_decided(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    decision = await correct(store, of_event(EventKind.VOID, 1))
    assert await store.events("main", 1, 10) == list(decision.events)
    change = await store.changes("main", 1, 10)
    assert (change.kind, change.standings) == (ChangeKind.LAST_PAGE, decision.changes[0].standings)


async def test_an_event_is_void_after_a_void_and_not_after_an_unvoid(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    seen: list[bool] = []
    for kind in (EventKind.VOID, EventKind.UNVOID, EventKind.VOID):
        correction = of_event(kind, 1)

        def look(
            facts: CorrectionFacts, correction: Correction = correction
        ) -> tuple[Decision, Player | None]:
            seen.append(facts.targets[0].is_void)
            return corrections.correct(correction, facts, uuid4)

        await store.correct(correction, look)
    assert seen == [False, True, False]
    assert [record.is_void for record in await store.history("ada", None, 10)] == [False, False, False, True]
    assert await ranks(store) == [("ada", 0)]
    await check_boards(store)


async def test_targets_since_a_time_are_the_awards_that_are_not_void(
    store: AdminStore, clock: HeldClock
) -> None:
    await commit(store, submission("ada"))
    clock.advance(60)
    since_us = clock.us
    await commit(store, submission("ada", DUEL))
    await commit(store, submission("ada", VISIT))
    await correct(store, about(EventKind.ADJUST, board="main", points=7))
    await correct(store, of_event(EventKind.VOID, 2))
    decision = await correct(store, about(EventKind.VOID, since_us=since_us))
    assert [(e.board, e.points, e.target_version) for e in decision.events] == [("side", -5, 1)]
    assert (await ranks(store), await ranks(store, "side")) == ([("ada", 57)], [("ada", 0)])


async def test_more_events_can_be_voided_than_one_commit_takes(
    store: AdminStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correction_facts, "MAX_TARGETS", 2)
    for _ in range(5):
        await commit(store, submission("ada"))
    applied: list[Decision] = []

    async def apply(decision: Decision) -> Mapping[tuple[str, int], int]:
        applied.append(decision)
        return {}

    catalog = Catalog({"main": MAIN}, {})
    service = administer.Administration(catalog, store, ApplierOf(apply), clock=HeldClock(), new_id=uuid4)
    corrected = await service.correct(about(EventKind.VOID, since_us=0), "a key")
    assert (corrected.events, corrected.versions) == (5, {"main": 10})
    assert [len(decision.events) for decision in applied] == [2, 2, 1, 0]
    assert await ranks(store) == [("ada", 0)]


async def test_a_refused_correction_writes_nothing(store: AdminStore) -> None:
    await commit(store, submission("ada"))
    with pytest.raises(UnknownPlayer):
        await correct(store, about(EventKind.BAN, "nobody"))
    with pytest.raises(UnknownEvent):
        await correct(store, of_event(EventKind.VOID, 2))
    assert (await store.heads())["main"].version == 1
    assert await store.corrections(None, 10) == []
