"""Questions about players and ranks while the board changes, or the ranking or the store is unavailable."""

import asyncio
from collections.abc import Collection, Mapping
from fractions import Fraction

import pytest

from scoreboard.domain.administration import Correction
from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import EventKind
from scoreboard.domain.queries import Around, AtRanks, Page, Query
from scoreboard.domain.standings import Snapshot
from scoreboard.services.board_periods import View
from scoreboard.services.board_queries import BoardQueries
from scoreboard.services.closed_periods import (
    MAX_AGE_SECONDS,
    READS_AT_ONCE,
    WAITING_READS,
    ClosedPeriods,
)
from tests.making import MAIN
from tests.service import Service

VIEW = View(MAIN)


@pytest.fixture
def queries(filled: Service) -> BoardQueries:
    return BoardQueries(filled.reader, filled.store, filled.minimum)


async def test_without_a_ranking_pages_are_read_and_other_questions_are_refused(
    filled: Service, queries: BoardQueries
) -> None:
    first = await queries.after(VIEW, None, 1)
    filled.ranking.is_unavailable = True
    assert await queries.after(VIEW, None, 1) == first
    for question in (
        queries.after(VIEW, first.entries[0].position, 1),
        queries.around(VIEW, "ada", 3),
        queries.players(VIEW, ["ada"]),
        queries.rank(VIEW, "ada", 3),
        queries.cutoffs(VIEW, [1], []),
    ):
        with pytest.raises(RankingUnavailable):
            await question
    filled.ranking.is_unavailable = False
    assert [entry.user_id for entry in (await queries.around(VIEW, "ada", 3)).entries] == ["ada"]


async def test_a_player_is_looked_up_in_the_store_once_until_a_correction(
    filled: Service, queries: BoardQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    player_keys = filled.store.player_keys

    async def counted(user_ids: Collection[str]) -> Mapping[str, int]:
        looked_up.extend(user_ids)
        return await player_keys(user_ids)

    monkeypatch.setattr(filled.store, "player_keys", counted)
    for _ in range(3):
        assert (await queries.players(VIEW, ["ada", "bob"])).entries[0].user_id == "ada"
    assert looked_up == ["ada", "bob", "bob", "bob"]
    await filled.administration().correct(Correction(EventKind.BAN, "root", "cheats", user_id="ada"))
    assert (await queries.players(VIEW, ["ada"])).entries == ()
    assert looked_up[4:] == ["ada"]


async def test_the_user_id_of_an_erased_player_belongs_to_a_new_player(
    filled: Service, queries: BoardQueries
) -> None:
    await filled.score("ada")
    assert (await queries.rank(VIEW, "ada", 0)).snapshot.players == 1
    await filled.administration().correct(Correction(EventKind.ERASE, "root", "asked", user_id="ada"))
    assert (await queries.rank(VIEW, "ada", 0)).entry is None
    await filled.score("ada")
    found = await queries.rank(VIEW, "ada", 0)
    assert found.entry is not None
    assert (found.entry.rank, found.entry.score) == (1, 50)


def scoring_between(
    filled: Service, kind: type[Query], users: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each read of a kind, let the next of the users score."""
    read = filled.ranking.read

    async def read_and_score(board: str, period: str, query: Query) -> Snapshot:
        snapshot = await read(board, period, query)
        if isinstance(query, kind) and users:
            await filled.score(users.pop())
        return snapshot

    monkeypatch.setattr(filled.ranking, "read", read_and_score)


async def test_the_last_rows_are_those_of_the_state_without_the_player(
    filled: Service, queries: BoardQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring_between(filled, Around, ["cyd", "bob"], monkeypatch)
    found = await queries.rank(VIEW, "nobody", 2)
    assert (found.snapshot.version, found.snapshot.players) == (3, 3)
    assert [(entry.rank, entry.user_id) for entry in found.above] == [(2, "bob"), (3, "cyd")]


async def test_a_player_whose_ban_ends_has_a_rank_again(
    filled: Service, queries: BoardQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled.score("bob")
    await filled.administration().correct(Correction(EventKind.BAN, "root", "cheats", user_id="bob"))
    scoring_between(filled, Around, ["cyd"], monkeypatch)
    assert (await queries.rank(VIEW, "bob", 1)).entry is None
    await filled.administration().correct(Correction(EventKind.UNBAN, "root", "mistake", user_id="bob"))
    found = await queries.rank(VIEW, "bob", 1)
    assert found.entry is not None
    assert (found.entry.rank, [entry.user_id for entry in found.above]) == (2, ["ada"])


async def test_a_percentage_is_that_of_the_players_in_the_answer(
    filled: Service, queries: BoardQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring_between(filled, AtRanks, ["cyd", "bob"], monkeypatch)
    found = await queries.cutoffs(VIEW, [], [Fraction(100)])
    ((_, rank, entry),) = found.percents
    assert rank == found.snapshot.players
    assert entry is not None
    assert entry.rank == rank


async def test_a_board_that_changes_all_the_time_is_not_read_forever(
    filled: Service, queries: BoardQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring_between(filled, Around, [f"user-{number}" for number in range(20)], monkeypatch)
    with pytest.raises(RankingUnavailable):
        await queries.rank(VIEW, "nobody", 2)


PAST = "2026-11-17"


async def test_a_period_that_is_over_is_read_once_until_a_correction(filled: Service) -> None:
    closed = ClosedPeriods(filled.store, filled.minimum, filled.clock)
    for offset in range(90):
        await closed.read("main", PAST, Page(10, offset))
    await closed.read("main", PAST, AtRanks((1, 2)))
    await closed.read("main", PAST, AtRanks((1, 2)))
    assert filled.store.pages == 2
    filled.minimum.increase("main", 7)
    await closed.read("main", PAST, Page(10))
    assert filled.store.pages == 3
    filled.clock.advance(MAX_AGE_SECONDS)
    await closed.read("main", PAST, Page(10))
    assert filled.store.pages == 4


async def test_after_a_failure_a_period_that_is_over_is_read_again_a_second_later(filled: Service) -> None:
    closed = ClosedPeriods(filled.store, filled.minimum, filled.clock)
    filled.store.fails = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await closed.read("main", PAST, Page(10))
    assert filled.store.pages == 1
    filled.store.fails = False
    with pytest.raises(StoreUnavailable):
        await closed.read("main", PAST, Page(10))
    filled.clock.advance(1)
    assert (await closed.read("main", PAST, Page(10))).entries == ()


async def test_few_reads_of_periods_that_are_over_wait_for_the_store(filled: Service) -> None:
    closed = ClosedPeriods(filled.store, filled.minimum, filled.clock)
    asked = READS_AT_ONCE + WAITING_READS + 5
    answers = await asyncio.gather(
        *(closed.read("main", PAST, Page(10, 100 + number)) for number in range(asked)),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, StoreUnavailable)]
    assert len(refused) == 5
    assert filled.store.pages == asked - 5
