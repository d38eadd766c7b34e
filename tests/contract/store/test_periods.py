"""Each store keeps the standings of the open periods, and those of the periods that are over."""

import asyncio
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import EventKind
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind, Standing
from scoreboard.ports.admin_store import AdminStore
from tests.clocks import HeldClock
from tests.contract.conftest import OpenStore, Query
from tests.contract.correcting import about, correct, of_event
from tests.contract.store.kinds_of_boards import (
    BEST_LAP,
    EVERY_KIND,
    RACE,
    at,
    board,
    check,
    shown,
    submit,
    value,
)
from tests.making import SIDE, UNLIMITED, VISIT, commit, decide_with, submission

BERLIN = ZoneInfo("Europe/Berlin")
OWN = board(Definition(periods=EVERY_KIND, timezone=BERLIN))
SUNDAY = at("2026-11-29T12:00:00+01:00")
MONDAY = at("2026-11-30T00:00:00+01:00")
"""A day and a week begin."""
TUESDAY = at("2026-12-01T00:00:00+01:00")
"""A day and a month begin."""
FIRST = ("2026-11-29", "2026-W48", "2026-11")


@pytest.fixture
async def store(open_store: OpenStore, clock: HeldClock) -> AdminStore:
    clock.us = SUNDAY
    return await open_store(boards=[OWN, SIDE])


async def versions(store: AdminStore, period: str) -> list[tuple[str, int]]:
    return [(row[1], row[2]) for row in await shown(store, period=period)]  # type: ignore[misc]


async def test_the_first_event_follows_a_rollover_of_each_kind(store: AdminStore) -> None:
    decision = await submit(store, OWN, value("ada", 5))
    ledger = await store.events("main", 0, 10)
    assert ledger == list(decision.events)
    assert [(e.version, e.kind, e.period) for e in ledger] == [
        *((n, EventKind.ROLLOVER, period) for n, period in enumerate(FIRST, start=1)),
        (4, EventKind.AWARD, None),
    ]
    assert [e.boundary_us for e in ledger] == [
        at("2026-11-29T00:00:00+01:00"),
        at("2026-11-23T00:00:00+01:00"),
        at("2026-11-01T00:00:00+01:00"),
        None,
    ]
    assert (await store.heads())["main"].open_periods == ("all", *FIRST)
    records = await store.ledger("main", 0, 10)
    assert [record.user_id for record in records] == [None, None, None, "ada"]
    await check(store)


async def test_a_submission_at_a_boundary_counts_in_the_new_periods(
    store: AdminStore, clock: HeldClock
) -> None:
    await submit(store, OWN, value("ada", 5), value("bob", 7))
    clock.us = MONDAY - 1
    await submit(store, OWN, value("ada", 3))
    clock.us = MONDAY
    await submit(store, OWN, value("ada", 2))
    assert await versions(store, "all") == [("ada", 10), ("bob", 7)]
    assert await versions(store, "2026-11") == [("ada", 10), ("bob", 7)]
    assert (
        await versions(store, "2026-W48") == await versions(store, "2026-11-29") == [("ada", 8), ("bob", 7)]
    )
    assert await versions(store, "2026-W49") == await versions(store, "2026-11-30") == [("ada", 2)]
    await check(store)


async def test_a_period_ends_without_a_submission(store: AdminStore, clock: HeldClock) -> None:
    await submit(store, OWN, value("ada", 5))
    clock.us = TUESDAY
    decision = await submit(store, OWN)
    assert [event.period for event in decision.events] == ["2026-12-01", "2026-W49", "2026-12"]
    assert (await submit(store, OWN)).events == ()
    (change,) = decision.changes
    assert change.periods == (await store.heads())["main"].open_periods
    assert (change.kind, change.standings) == (ChangeKind.STEP, ())
    for period in change.periods:
        snapshot = await store.read("main", period, Page(10))
        assert (snapshot.players, snapshot.version) == (1 if period == "all" else 0, 7)
    await check(store)


async def test_a_board_that_was_only_locked_begins_its_periods(store: AdminStore) -> None:
    """Commits of several boards lock all of them, and take the submissions that wait by then."""
    visit = submission("ada", VISIT)
    decision = await store.commit({"main", "side"}, lambda: [visit], decide_with(UNLIMITED, (OWN, SIDE)))
    assert [(e.board, e.kind) for e in decision.events] == [
        *[("main", EventKind.ROLLOVER)] * 3, ("side", EventKind.AWARD)
    ]  # fmt: skip


async def test_a_period_begins_once_whatever_the_process(
    open_store: OpenStore, store: AdminStore, clock: HeldClock
) -> None:
    other = await open_store(boards=[OWN, SIDE])
    await asyncio.gather(*(submit(one, OWN) for one in (store, other) * 3))
    clock.us = MONDAY
    await asyncio.gather(
        *(submit(one, OWN, value(f"user-{n}", 1)) for n, one in enumerate((store, other) * 3))
    )
    begun = [event.period for event in await store.events("main", 0, 100) if event.period]
    assert begun == [*FIRST, "2026-11-30", "2026-W49"]
    await check(store)


async def test_a_clock_that_goes_back_ends_no_period(store: AdminStore, clock: HeldClock) -> None:
    clock.us = MONDAY
    await submit(store, OWN, value("ada", 5))
    clock.us = SUNDAY
    (event,) = (await submit(store, OWN, value("ada", 1))).events
    assert event.kind is EventKind.AWARD
    assert await versions(store, "2026-W49") == [("ada", 6)]
    await check(store)


async def test_changes_have_the_open_periods_and_never_split_an_event(
    store: AdminStore, clock: HeldClock
) -> None:
    await submit(store, OWN, *(value(f"user-{n}", n) for n in range(5)))
    clock.us = MONDAY
    await submit(store, OWN, value("user-1", 1), value("new", 1))
    periods = ("all", "2026-11-30", "2026-W49", "2026-11")
    whole = await store.changes("main", 0, 100)
    assert (whole.kind, whole.periods) == (ChangeKind.LAST_PAGE, periods)
    versions = [standing.version for standing in whole.standings]
    assert versions == sorted(versions)
    assert {standing.period for standing in whole.standings} == set(periods)
    for limit in range(1, 9):
        copy: list[Standing] = []
        after, kind = 0, ChangeKind.PAGE
        while kind is ChangeKind.PAGE:
            page = await store.changes("main", after, limit)
            assert not page.standings or limit <= len(page.standings) <= limit + 3 or page.kind != kind
            copy += page.standings
            after, kind = page.to_version, page.kind
        assert sorted(copy, key=lambda one: (one.version, one.period)) == sorted(
            whole.standings, key=lambda one: (one.version, one.period)
        )
        assert after == whole.to_version


async def test_a_period_that_is_over_has_the_version_of_its_last_change(
    store: AdminStore, clock: HeldClock
) -> None:
    await submit(store, OWN, value("ada", 5), value("bob", 5))
    clock.us = MONDAY
    await submit(store, OWN, value("ada", 5))
    week = await store.read("main", "2026-W48", Page(10))
    assert (week.version, week.reading_us) == (5, SUNDAY)
    await submit(store, OWN, value("bob", 5))
    assert await store.read("main", "2026-W48", Page(10)) == week
    clock.advance(1)
    (void,) = (await correct(store, of_event(EventKind.VOID, 5))).events
    corrected = await store.read("main", "2026-W48", Page(10))
    assert (corrected.version, corrected.reading_us) == (void.version, clock.us)
    assert [(entry.user_id, entry.score) for entry in corrected.entries] == [("ada", 5), ("bob", 0)]
    nothing = await store.read("main", "2020-W01", Page(10))
    assert (nothing.version, nothing.players, nothing.entries) == (0, 0, ())


@pytest.mark.parametrize("definition", [Definition(), RACE, BEST_LAP], ids=["sum", "columns", "best"])
async def test_a_void_counts_in_the_periods_of_its_target(
    open_store: OpenStore, clock: HeldClock, definition: Definition
) -> None:
    own = board(replace(definition, periods=EVERY_KIND, timezone=BERLIN))
    columns = (7,) * len(definition.columns)
    clock.us = SUNDAY
    store = await open_store(boards=[own, SIDE])
    await submit(store, own, value("ada", 5, *columns))
    await submit(store, own, value("ada", 3, *columns))
    clock.us = TUESDAY
    await submit(store, own, value("ada", 4, *columns))
    before = {period: await shown(store, period=period) for period in (*FIRST, "all", "2026-12", "2026-W49")}
    await correct(store, of_event(EventKind.VOID, 5))
    score = {"sum": (5, 9, 4), "best": (5, 4, 4)}[definition.aggregation]
    for period, expected in zip(("2026-11-29", "all", "2026-12"), score, strict=True):
        assert [row[2] for row in await shown(store, period=period)] == [expected]
    assert await shown(store, period="2026-W49") == before["2026-W49"]
    await check(store)
    await correct(store, of_event(EventKind.UNVOID, 5))
    assert {period: await shown(store, period=period) for period in before} == before
    await correct(store, about(EventKind.VOID, since_us=0))
    await check(store)


async def test_a_ban_removes_a_player_from_all_periods(store: AdminStore, clock: HeldClock) -> None:
    for day in range(12):
        clock.us = SUNDAY + day * 86_400_000_000
        await submit(store, OWN, value("ada", 5), value("bob", 1))
    await commit(store, submission("ada", VISIT))
    decision = await correct(store, about(EventKind.BAN))
    assert [event.board for event in decision.events] == ["main", "side"]
    periods = {standing.period for standing in decision.changes[0].standings}
    assert len(periods) == 1 + 12 + 3 + 2
    for period in periods:
        assert [user_id for user_id, _ in await versions(store, period)] == ["bob"]
    await check(store)
    await correct(store, about(EventKind.UNBAN))
    assert await versions(store, "2026-11-29") == [("ada", 5), ("bob", 1)]
    await check(store)


async def test_an_adjustment_counts_in_the_open_periods_after_those_that_are_due(
    store: AdminStore, clock: HeldClock
) -> None:
    await submit(store, OWN, value("ada", 5))
    clock.us = MONDAY
    decision = await correct(store, about(EventKind.ADJUST, board="main", points=2))
    assert [event.period for event in decision.events] == ["2026-11-30", "2026-W49", None]
    assert (await store.heads())["main"].open_periods == ("all", "2026-11-30", "2026-W49", "2026-11")
    assert await versions(store, "2026-W48") == [("ada", 5)]
    assert await versions(store, "2026-W49") == [("ada", 2)]
    assert await versions(store, "2026-11") == [("ada", 7)]
    log = await store.corrections(None, 10)
    assert [record.event.kind for record in log] == [EventKind.ADJUST]
    await check(store)


async def test_a_period_cannot_begin_twice(store: AdminStore, query: Query) -> None:
    await submit(store, OWN, value("ada", 5))
    repeat = (
        "INSERT INTO score_events (board_key, version, event_id, kind, points, score, at_us, period) "
        "SELECT board_key, 99, event_id, kind, 0, 0, at_us, period FROM score_events WHERE version = 1"
    )
    for statement in (repeat, repeat.replace("INSERT", "INSERT OR REPLACE")):
        with pytest.raises(Exception, match=r"append-only|unique|UNIQUE|syntax"):
            query(statement)
    assert len(await store.events("main", 0, 100)) == 4
