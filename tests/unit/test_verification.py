"""`verify` finds every kind of wrong data. Tests write it past the protection of the ledger."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scoreboard.domain.queries import Query
from scoreboard.domain.standings import Change, ChangeKind, Snapshot
from scoreboard.ports.ranking import CopyState
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.verify import MAX_DIFFERENCES, Verdict, verify
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import START_US, HeldClock
from tests.making import DEFINITIONS, DUEL, commit, standing, submission
from tests.stores import execute

FORGERIES = {
    "an event is missing": ("DELETE FROM score_events WHERE version = 3", "event 3: missing"),
    "the last event is missing": ("DELETE FROM score_events WHERE version = 6", "event 6: missing"),
    "points were raised": ("UPDATE score_events SET points = 5000 WHERE version = 2", "event 2: has score"),
    "an event is older than its predecessor": (
        "UPDATE score_events SET at_us = 1 WHERE version = 4",
        "event 4: earlier",
    ),
    "a use is skipped": ("UPDATE score_events SET action_seq = 9 WHERE version = 1", "event 1: has use"),
    "an event has another player": (
        "UPDATE score_events SET player_key = 3, seq = 9, action_seq = 9 WHERE version = 1",
        "event 1",
    ),
    "a submission is counted twice": (
        "UPDATE score_events SET seq = -1 WHERE version = 4",
        "event 4: has submission",
    ),
    "an event is beyond the head": ("UPDATE boards SET version = 5", "event 6: beyond"),
    "a score was raised": (
        "UPDATE standings SET score = 9999 WHERE player_key = 1",
        "player 1: standing 9999",
    ),
    "a tie was turned": (
        "UPDATE standings SET tie_order = 99 WHERE player_key = 2",
        "player 2: standing",
    ),
    "a player was hidden": ("UPDATE standings SET listed = 0 WHERE player_key = 2", "player 2: standing"),
    "a standing is gone": (
        "DELETE FROM standings WHERE player_key = 3",
        "player 3: has events but no standing",
    ),
    "a standing is made up": (
        (
            "INSERT INTO standings (board_key, player_key, period, score, order_1, tie_order, reached_at_us, "
            "version, listed) SELECT board_key, 4, period, 7, -7, 2, 0, 2, 1 FROM standings "
            "WHERE player_key = 1"
        ),
        "player 4: has a standing",
    ),
    "the version was moved on": ("UPDATE boards SET version = 7", "event 7: missing"),
}


@pytest.fixture(autouse=True)
async def ledger(store: SqliteStore) -> None:
    await commit(store, submission("ada"), submission("bob"), submission("cyd", DUEL))
    await commit(store, submission("ada"), submission("bob", DUEL), submission("cyd"))


async def verdict_of(store: SqliteStore, board: str = "main") -> Verdict:
    async with MemoryRanking(DEFINITIONS) as ranking:
        return await verify(store, ranking, board, lambda *_: None)


async def test_a_correct_database_has_no_differences(store: SqliteStore) -> None:
    assert await verdict_of(store) == Verdict("main", 6, 3, ())
    assert await verdict_of(store, "side") == Verdict("side", 0, 0, ())


@pytest.mark.parametrize(("statement", "told"), FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_change_of_the_database_is_found(
    path: Path, store: SqliteStore, statement: str, told: str
) -> None:
    execute(
        path,
        *(f"DROP TRIGGER score_events_no_{verb}" for verb in ("update", "delete", "replace")),
        "INSERT INTO players (key, user_id, seq) VALUES (4, 'nobody', 0)",
        statement,
    )
    differences = (await verdict_of(store)).differences
    assert any(difference.startswith(told) for difference in differences), differences


async def test_events_that_were_written_while_the_clock_ran_ahead_are_listed(
    store: SqliteStore, clock: HeldClock
) -> None:
    for ahead in (0, 86_400, 0, 0.9, 5, 3_600, 3_500, 6):
        clock.us = START_US + round(ahead * 1_000_000)
        await commit(store, submission("ada"), submission("bob"))
    verdict = await verdict_of(store)
    assert (verdict.version, verdict.differences) == (22, ())
    assert verdict.notices == (
        "events 9 to 10: written while the clock ran ahead, by 1 day, 0:00:00",
        "events 17 to 20: written while the clock ran ahead, by 0:59:54",
    )


class Lying(MemoryRanking):
    """One whose pages are not what its copy says."""

    def __init__(self, lie: Callable[[Snapshot], Snapshot]) -> None:
        super().__init__(DEFINITIONS)
        self._lie = lie

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        return self._lie(await super().read(board, period, query))


def turned(page: Snapshot) -> Snapshot:
    first, second, *rest = page.entries
    return replace(page, entries=(second._replace(rank=1), first._replace(rank=2), *rest))


LIES = {
    "two players are turned": (turned, ["ranking: rank 1 is", "ranking: rank 2 is"]),
    "a player is missing": (
        lambda page: replace(page, players=2, entries=page.entries[:2]),
        ["ranking: has 2 players"],
    ),
    "a name is another": (
        lambda page: replace(page, entries=(page.entries[0]._replace(name="Eve"), *page.entries[1:])),
        ["ranking: ada is named Eve, but should be None"],
    ),
    "it is of another moment": (
        lambda page: replace(page, reading_us=1),
        ["ranking: version 6 is of 1, but"],
    ),
    "it stays behind": (lambda page: replace(page, version=5), ["ranking: stays at version 5, behind 6"]),
    "it is ahead": (
        lambda page: replace(page, version=7),
        ["ranking: is at version 7, beyond the board's, 6"],
    ),
}


@pytest.mark.parametrize(("lie", "told"), LIES.values(), ids=LIES.keys())
async def test_a_wrong_ranking_is_found(
    store: SqliteStore,
    lie: Callable[[Snapshot], Snapshot],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scoreboard.services.verify_ranking.PAUSE_SECONDS", 0)
    async with Lying(lie) as ranking:
        verdict = await verify(store, ranking, "main", lambda *_: None)
    assert len(verdict.differences) == len(told)
    for difference, beginning in zip(verdict.differences, told, strict=True):
        assert difference.startswith(beginning)


async def test_a_ranking_of_another_history_is_reported_and_not_changed(store: SqliteStore) -> None:
    """A server would drop such a copy; `verify` reports it."""
    async with MemoryRanking(DEFINITIONS) as ranking:
        await ranking.apply(
            Change("main", ChangeKind.LAST_PAGE, 0, 2, 99, (standing(1, 50, 1), standing(2, 40, 2)))
        )
        verdict = await verify(store, ranking, "main", lambda *_: None)
        assert (
            verdict.differences[0]
            == "ranking: its event 2 is not the one in the ledger: it copies another history"
        )
        assert await ranking.copy_state("main") == CopyState(2, readable=True)


async def test_a_long_list_is_cut(path: Path, store: SqliteStore) -> None:
    await commit(store, *(submission(f"user-{n}") for n in range(300)))
    execute(path, "UPDATE standings SET score = score + 1")
    differences = (await verdict_of(store)).differences
    assert len(differences) == MAX_DIFFERENCES + 1
    assert differences[-1] == "… and 203 more"
