"""`verify` finds wrong data of periods, also of those that are over, and rollovers in the wrong place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.domain.definitions import Aggregation, Definition, Sort, Ties
from scoreboard.domain.events import EventKind
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.queries import Query
from scoreboard.domain.standings import Snapshot
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.services.verify import verify
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.contract.correcting import about, correct, of_event
from tests.contract.store.kinds_of_boards import at, board, submit, value
from tests.making import SIDE
from tests.stores import execute, open_sqlite

OWN = board(
    Definition(Aggregation.BEST, Sort.ASCENDING, ties=Ties.SHARED, periods=(PeriodKind.DAY, PeriodKind.WEEK))
)


@pytest.fixture
async def store(path: Path, clock: HeldClock) -> AsyncIterator[SqliteStore]:
    """Saturday: versions 1 to 5. Sunday: 6 to 8. Monday: 9 to 12. Then a void of Saturday: 13, and a ban."""
    async with open_sqlite(path, clock, boards=(OWN, SIDE)) as store:
        for day, points in (("28", (7, 8, 9)), ("29", (5, 8)), ("30", (6, 6))):
            clock.us = at(f"2026-11-{day}T12:00:00+00:00")
            users = ("ada", "bob", "cyd")
            await submit(store, OWN, *(value(*one) for one in zip(users, points, strict=False)))
        await correct(store, of_event(EventKind.VOID, 3))
        await correct(store, about(EventKind.BAN, "cyd"))
        yield store


async def differences(store: SqliteStore) -> tuple[str, ...]:
    return (await verify(store, None, "main", lambda *_: None)).differences


async def test_correct_periods_have_no_differences(store: SqliteStore) -> None:
    assert await differences(store) == ()


FORGERIES = {
    "a score of an open period": (
        "UPDATE standings SET score = 1 WHERE period = '2026-W49' AND player_key = 1",
        "player 1 in 2026-W49: standing 1 ",
    ),
    "a score of a period that is over": (
        "UPDATE standings SET score = 1 WHERE period = '2026-11-29' AND player_key = 1",
        "player 1 in 2026-11-29: standing 1 ",
    ),
    "a score of a period that was corrected": (
        "UPDATE standings SET score = 1 WHERE period = '2026-W48' AND player_key = 1",
        "player 1 in 2026-W48: standing 1 ",
    ),
    "a correction that a period does not have": (
        "UPDATE standings SET listed = 1, version = 5 WHERE period = '2026-11-28' AND player_key = 3",
        "player 3 in 2026-11-28: its standing does not have event 14",
    ),
    "a player of a period that is over is missing": (
        "DELETE FROM standings WHERE period = '2026-11-29' AND player_key = 2",
        "player 2 in 2026-11-29: has events but no standing",
    ),
    "a player of a period that is over is made up": (
        "UPDATE standings SET period = '2026-11-29' WHERE period = '2026-11-28' AND player_key = 3",
        "player 3 in 2026-11-29: has a standing of 9 but no events",
    ),
    "a rollover is elsewhere": (
        "UPDATE score_events SET boundary_us = boundary_us + 1 WHERE version = 6",
        "event 6: begins 2026-11-29 at ",
    ),
    "a rollover is too early": (
        "UPDATE score_events SET clock_us = 1795910000000000 WHERE version = 9",
        "event 9: begins 2026-11-30 at a time in 2026-11-28",
    ),
    "a rollover is missing": (
        "DELETE FROM score_events WHERE version = 9",
        "event 9: missing, the next one is 10",
    ),
    "a rollover is missing, and later events are numbered again": (
        (
            "DELETE FROM score_events WHERE version = 9;"
            "UPDATE score_events SET version = version - 1 WHERE version > 9"
        ),
        "event 10: is in 2026-11-29, but after its end",
    ),
    "a rollover is moved behind an event of its period": (
        (
            "UPDATE score_events SET version = 99 WHERE version = 10;"
            "UPDATE score_events SET version = 10 WHERE version = 11;"
            "UPDATE score_events SET version = 11 WHERE version = 99"
        ),
        "event 10: is in 2026-W48, but after its end",
    ),
    "a rollover is moved before an event of the period that it ends": (
        (
            "UPDATE score_events SET version = 99 WHERE version = 8;"
            "UPDATE score_events SET version = 8 WHERE version = 9;"
            "UPDATE score_events SET version = 9 WHERE version = 99"
        ),
        "player 2 in 2026-11-29: has a standing of 8 but no events",
    ),
    "a rollover begins an earlier period": (
        "UPDATE score_events SET period = '2026-11-27' WHERE version = 6",
        "event 6: begins 2026-11-27 after 2026-11-28",
    ),
    "a rollover begins no period": (
        "UPDATE score_events SET period = '2026-W99' WHERE version = 2",
        "event 2: begins 2026-W99, which is not a period",
    ),
    "a rollover of a kind that the board does not have": (
        "UPDATE score_events SET period = '2026-11' WHERE version = 2",
        "event 2: begins 2026-11, but the board has no periods of this kind",
    ),
    "a rollover has a player": (
        "UPDATE score_events SET player_key = 1 WHERE version = 6",
        "event 6: begins 2026-11-29, but has a player",
    ),
    "an award has no player": (
        "UPDATE score_events SET player_key = NULL WHERE version = 4",
        "event 4: has no player",
    ),
    "an event is after the end of its period": (
        "UPDATE score_events SET clock_us = 1796000000000000 WHERE version = 8",
        "event 8: is in 2026-11-29, but after its end",
    ),
    "an event precedes the first period": (
        "UPDATE boards SET fold = replace(fold, 'day, week', 'day, week, month')",
        "event 3: precedes the first month",
    ),
}


@pytest.mark.parametrize(("statement", "told"), FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_change_of_a_period_is_found(
    path: Path, store: SqliteStore, statement: str, told: str
) -> None:
    for trigger in ("update", "clock_update", "period_update", "replace", "delete"):
        execute(path, f"DROP TRIGGER score_events_no_{trigger}")
    execute(path, *statement.split(";"))
    found = await differences(store)
    assert any(difference.startswith(told) for difference in found), found


async def test_the_ranking_of_each_open_period_is_compared(store: SqliteStore) -> None:
    async with MemoryRanking({"main": OWN.definition}) as ranking:
        await Applier(store, ranking).heal("main")
        assert (await verify(store, ranking, "main", lambda *_: None)).differences == ()


class WrongRanks(MemoryRanking):
    """A ranking that counts equal players of the week."""

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        snapshot = await super().read(board, period, query)
        if period != "2026-W49":
            return snapshot
        entries = [entry._replace(rank=n) for n, entry in enumerate(snapshot.entries, start=1)]
        return Snapshot(
            board, snapshot.version, snapshot.reading_us, snapshot.players, tuple(entries), period
        )


async def test_ranks_that_are_not_shared_are_found(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.verify_ranking.PAUSE_SECONDS", 0)
    async with WrongRanks({"main": OWN.definition}) as ranking:
        await Applier(store, ranking).heal("main")
        found = (await verify(store, ranking, "main", lambda *_: None)).differences
    assert found == ("2026-W49: ranking: bob has rank 2, but should have 1",)
