"""Each store searches the ledger for administrators."""

from functools import partial

import pytest

from scoreboard.domain.administration import EventCursor, SuspicionThresholds
from scoreboard.domain.events import EventKind
from scoreboard.ports.admin_store import AdminStore
from tests.clocks import HeldClock
from tests.contract.correcting import about, correct, of_event
from tests.making import VISIT, commit, submission


async def test_pages_of_the_audit_log_and_of_a_history_have_no_gaps(
    store: AdminStore, clock: HeldClock
) -> None:
    await commit(store, submission("ada"))
    await commit(store, submission("ada", VISIT))
    for _ in range(3):
        await correct(store, about(EventKind.BAN))
        clock.advance(1)
        await correct(store, about(EventKind.UNBAN))
    for read, total in ((store.corrections, 12), (partial(store.history, "ada"), 14)):
        whole_list = await read(None, 100)
        pages: list[object] = []
        before = None
        while page := await read(before, 5):
            pages += page
            last = page[-1].event
            before = EventCursor(last.at_us, last.board, last.version)
        assert pages == list(whole_list)
        assert len(pages) == total
    assert {(record.actor, record.reason) for record in await store.corrections(None, 100)} == {
        ("root", "a test")
    }


async def test_pages_of_the_ledger_name_the_player_of_each_event(store: AdminStore) -> None:
    await commit(store, submission("ada"), submission("bob"))
    await commit(store, submission("ada", VISIT))
    await correct(store, of_event(EventKind.VOID, 1))
    first, second = await store.ledger("main", 0, 2), await store.ledger("main", 2, 2)
    assert [record.event for record in (*first, *second)] == list(await store.events("main", 0, 10))
    assert [(record.user_id, record.is_void) for record in first] == [("ada", True), ("bob", False)]
    assert [(record.user_id, record.actor, record.reason) for record in second] == [("ada", "root", "a test")]
    assert await store.ledger("main", 3, 2) == []


async def test_suspects_exceed_a_threshold_of_rate_or_regularity(store: AdminStore, clock: HeldClock) -> None:
    since_us = clock.us
    for number in range(12):
        await commit(
            store, submission("robot"), submission("ada") if number % 5 == 0 else submission(f"user-{number}")
        )
        clock.advance(30)
    found = {s.user_id: s for s in await store.suspects(since_us, SuspicionThresholds(), 10)}
    assert found.keys() == {"robot"}
    assert (found["robot"].awards, found["robot"].points, found["robot"].interval_seconds) == (12, 600, 30.0)
    assert found["robot"].irregularity == pytest.approx(0)
    fast = await store.suspects(since_us, SuspicionThresholds(awards_an_hour=3, irregularity=0), 10)
    assert {s.user_id for s in fast} == {"robot", "ada"}
    assert await store.suspects(clock.us, SuspicionThresholds(), 10) == []
