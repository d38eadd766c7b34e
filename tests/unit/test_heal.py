"""Healing of a copy that is missing, late, partly filled, or of another history."""

import asyncio
import shutil
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import Head
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import CopyState
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.services.heal import Healer
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.store.sqlite.store import SqliteStore
from tests.limits import LIMIT_SECONDS
from tests.making import DEFINITIONS, check_copy, commit, submission
from tests.service import Service, opened, until
from tests.virtual_time import run


async def test_a_copy_ahead_of_its_store_is_dropped_and_filled_again(path: Path, tmp_path: Path) -> None:
    async with opened(path) as before:
        await before.score("ada")
        await before.store.read("main", ALL_TIME, Page(1))
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    async with opened(path) as service, opened(backup) as restored:
        await service.score("bob")
        await service.score("bob")
        assert await service.version() == 3
        healing = Applier(restored.store, service.ranking)
        await healing.heal("main")
        assert await service.ranking.copy_state("main") == CopyState(1, readable=True)
        assert [e.user_id for e in (await service.ranking.read("main", ALL_TIME, Page(10))).entries] == [
            "ada"
        ]


@pytest.mark.parametrize("further", [0, 2], ids=["as far", "further"])
async def test_a_copy_of_another_history_than_its_store_is_dropped_and_filled_again(
    path: Path, tmp_path: Path, further: int
) -> None:
    """A restored backup has other events, up to the version of the copy or further."""
    async with opened(path) as before:
        await before.score("ada")
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    async with opened(path) as service, opened(backup) as restored:
        await service.applier.heal("main")
        await service.score("bob")
        restored.clock.advance(60)
        for user_id in ("cyd", "ada", "ada")[: 1 + further]:
            await restored.score(user_id)
        assert await service.ranking.copy_state("main") == CopyState(2, readable=True)
        await Applier(restored.store, service.ranking).heal("main")
        await check_copy(service.ranking, restored.store, 10)


async def test_a_page_that_was_read_for_a_dropped_copy_is_not_applied_to_the_next_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That page lacks the players who have newer events since."""
    monkeypatch.setattr("scoreboard.services.apply.PAGE_SIZE", 2)
    await commit(service.store, submission("ada"), submission("bob"), submission("cyd"))
    service.ranking.holds = ChangeKind.LAST_PAGE
    healing = asyncio.create_task(service.applier.heal("main"))
    await service.ranking.held.wait()
    await service.ranking.drop("main")
    await commit(service.store, submission("ada"))
    # Another process starts the next copy: ada is on a later page now.
    await service.ranking.apply(await service.store.changes("main", 0, 2))
    service.ranking.go_on.set()
    await asyncio.wait_for(healing, LIMIT_SECONDS)
    await check_copy(service.ranking, service.store, 10)


async def test_of_two_processes_with_an_empty_copy_one_fills_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.apply.PAGE_SIZE", 2)
    await commit(service.store, *(submission(f"user-{n}") for n in range(20)))
    other = Applier(service.store, service.ranking)
    await asyncio.gather(service.applier.heal("main"), other.heal("main"))
    assert await service.ranking.copy_state("main") == CopyState(20, readable=True)
    assert service.store.changes_read <= 12


async def test_if_the_process_that_fills_a_copy_dies_another_one_continues(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.apply.PAGE_SIZE", 2)
    await commit(service.store, *(submission(f"user-{n}") for n in range(20)))
    other = asyncio.create_task(Applier(service.store, service.ranking).heal("main"))
    healing = asyncio.create_task(service.applier.heal("main"))
    await until(lambda: service.store.changes_read >= 5)
    other.cancel()
    await asyncio.wait_for(healing, LIMIT_SECONDS)
    assert await service.ranking.copy_state("main") == CopyState(20, readable=True)


def test_a_flood_of_clients_that_are_ahead_causes_five_comparisons_a_second() -> None:
    async def scenario() -> int:
        ranking = AsyncMock(spec=MemoryRanking)
        ranking.copy_states.return_value = {"main": CopyState(0, readable=True)}
        store = AsyncMock(spec=SqliteStore)
        store.heads.return_value = {"main": Head(0, 0)}
        healer = Healer(store, Applier(store, ranking), MinimumVersions(), ("main",))
        clock = asyncio.get_running_loop().time
        async with healer.loop:
            while clock() < 10:
                await healer.catch_up()
        return store.heads.call_count  # type: ignore[no-any-return]

    assert 45 <= run(scenario()) <= 52


class AskedRanking(MemoryRanking):
    """The real ranking. It keeps the boards that were asked about one by one."""

    def __init__(self) -> None:
        super().__init__(DEFINITIONS)
        self.asked: set[str] = set()

    async def copy_state(self, board: str) -> CopyState:
        self.asked.add(board)
        return await super().copy_state(board)


async def test_only_boards_that_are_behind_are_healed(store: SqliteStore) -> None:
    ranking, minimum = AskedRanking(), MinimumVersions()
    healer = Healer(store, Applier(store, ranking, minimum), minimum, ("main", "side"))
    await healer.prepare()
    assert ranking.asked == {"main", "side"}
    ranking.asked.clear()
    await healer.catch_up()
    assert ranking.asked == set()
    await commit(store, submission("ada"))
    await healer.catch_up()
    assert ranking.asked == {"main"}
    await check_copy(ranking, store)


async def test_each_unavailable_server_is_named_until_it_is_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.heal.INTERVAL_SECONDS", 0.01)
    async with service.healer.loop:
        service.ranking.is_unavailable = True
        await until(lambda: service.healer.unavailable == {"ranking"})
        service.store.fails = True
        await until(lambda: service.healer.unavailable == {"ranking", "store"})
        service.ranking.is_unavailable = False
        await until(lambda: service.healer.unavailable == {"store"})
        service.store.fails = False
        await commit(service.store, submission("ada"))
        await until(lambda: not service.healer.unavailable)
    assert await service.ranking.copy_state("main") == CopyState(1, readable=True)


async def test_the_lag_is_the_number_of_missing_versions_until_the_copy_is_filled(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.apply.PAGE_SIZE", 2)
    await commit(service.store, *(submission(f"user-{n}") for n in range(5)))
    service.ranking.holds = ChangeKind.LAST_PAGE
    healing = asyncio.create_task(service.applier.heal("main"))
    await service.ranking.held.wait()
    assert service.applier.lag == 1
    service.ranking.go_on.set()
    await asyncio.wait_for(healing, LIMIT_SECONDS)
    assert service.applier.lag == 0
