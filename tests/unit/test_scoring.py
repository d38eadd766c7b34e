"""The service when its copy is missing, late or wrong: what it reads, and that it heals."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from scoreboard.catalog import Catalog
from scoreboard.errors import RankingUnavailable, StoreUnavailable
from scoreboard.fanout.frame import Frame
from scoreboard.fanout.frames import Frames
from scoreboard.fanout.hub import Hub
from scoreboard.healing import Healing
from scoreboard.interfaces import Applied, Progress
from scoreboard.model import Caller, Change, Snapshot
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.scoring import Scoring, _digest
from scoreboard.store import sqlite_file
from scoreboard.store.sqlite import SqliteStore
from tests.clocks import HeldClock, counted_ids
from tests.making import MAIN, QUEST, UNLIMITED, commit, submission


class Reads(SqliteStore):
    """The real store, which counts the pages that it is asked for, and fails where it is told to."""

    pages = 0
    stretches = 0
    fails = False

    async def changes(self, board: str, after: int, limit: int) -> Change:
        self.stretches += 1
        return await super().changes(board, after, limit)

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        self.pages += 1
        if self.fails:
            raise StoreUnavailable
        return await super().page(board, limit, offset)


class Breakable(MemoryRanking):
    """The real ranking, which is out of reach where it is told to be."""

    gone = False

    @property
    def is_readable(self) -> bool:
        return self._copy("main").readable

    async def progress(self, board: str) -> Progress:
        self._check()
        return await super().progress(board)

    async def apply(self, change: Change, copy: str | None = None) -> Applied:
        self._check()
        return await super().apply(change, copy)

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        self._check()
        return await super().page(board, limit, offset)

    async def place(self, board: str, player: int) -> int | None:
        self._check()
        return await super().place(board, player)

    def _check(self) -> None:
        if self.gone:
            raise RankingUnavailable


class Service:
    """All parts of a scoreboard, in the open."""

    def __init__(self, store: Reads) -> None:
        self.store = store
        self.clock = HeldClock()
        self.ranking = Breakable()
        self.healing = Healing(store, self.ranking, ("main",))
        self.scoring = Scoring(
            Catalog({"main": MAIN}, {"quest": QUEST}),
            store,
            self.ranking,
            self.healing,
            limit=UNLIMITED,
            clock=self.clock,
            new_id=counted_ids().__next__,
        )

    async def score(self, user_id: str = "ada", key: str | None = None) -> int | None:
        return (await self.scoring.submit(Caller(user_id), "quest", user_id, key)).rank

    async def version(self) -> int:
        return (await self.scoring.board(None, 10)).version


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Service]:
    async with Reads(path, limit=UNLIMITED, clock=HeldClock()) as store:
        await store.ensure([MAIN])
        service = Service(store)
        writing = asyncio.create_task(service.scoring.commit.run())
        yield service
        writing.cancel()
        await asyncio.wait([writing])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    sqlite_file.migrate(tmp_path / "scoring.db")
    return tmp_path / "scoring.db"


@pytest.fixture
async def service(path: Path) -> AsyncIterator[Service]:
    async with opened(path) as service:
        yield service


async def test_a_board_is_read_from_the_store_until_the_copy_is_filled(service: Service) -> None:
    await commit(service.store, submission("ada"))
    assert await service.version() == 1
    assert service.store.pages == 1
    await service.healing.heal("main")
    assert await service.version() == 1
    assert service.store.pages == 1


async def test_without_a_copy_the_store_is_asked_once_a_second_by_all_together(service: Service) -> None:
    await asyncio.gather(*(service.version() for _ in range(50)))
    assert service.store.pages == 1
    service.clock.advance(0.9)
    await service.version()
    assert service.store.pages == 1
    service.clock.advance(0.1)
    await service.version()
    assert service.store.pages == 2


async def test_a_score_does_not_wait_for_the_copy_to_be_filled_but_has_it_filled(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The loop by itself would not look again while this test runs.
    monkeypatch.setattr("scoreboard.healing.INTERVAL_SECONDS", 60.0)
    healing = asyncio.create_task(service.healing.run())
    await until(lambda: service.ranking.is_readable)
    await service.ranking.drop("main")
    assert await service.score() is None
    await until(lambda: service.ranking.is_readable)
    assert await service.score() == 1
    healing.cancel()


async def test_a_gap_is_healed_by_the_next_score(service: Service) -> None:
    await service.healing.heal("main")
    await service.score("ada")
    await commit(service.store, submission("bob"), submission("cyd"))
    assert await service.score("bob") == 1
    assert await service.version() == 4


async def test_a_ranking_that_is_gone_costs_the_rank_alone(service: Service) -> None:
    await service.healing.heal("main")
    await service.score()
    service.ranking.gone = True
    assert await service.score() is None
    assert await service.score(key="k") is None
    assert await service.score(key="k") is None
    assert await service.version() == 3
    service.ranking.gone = False
    assert await service.score() == 1
    assert await service.version() == 4


async def test_a_repeat_is_not_told_a_rank_from_before_its_own_event(service: Service) -> None:
    await service.healing.heal("main")
    await service.score("bob")
    digest = _digest("ada", "k")
    await commit(service.store, submission("ada", digest=digest.int))
    assert await service.score("ada", key="k") is None
    await service.healing.heal("main")
    assert await service.score("ada", key="k") == 2


async def test_a_board_is_never_older_than_one_that_was_shown(service: Service) -> None:
    await service.healing.heal("main")
    await service.score()
    await commit(service.store, submission("bob"))
    service.ranking.gone = True
    assert await service.version() == 2
    service.ranking.gone = False
    assert (await service.ranking.progress("main")).version == 1
    assert await service.version() == 2


async def test_a_copy_ahead_of_its_store_is_dropped_and_filled_anew(path: Path, tmp_path: Path) -> None:
    async with opened(path) as before:
        await before.score("ada")
        await before.store.page("main", 1, 0)
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    async with opened(path) as service, opened(backup) as restored:
        await service.score("bob")
        await service.score("bob")
        assert await service.version() == 3
        healing = Healing(restored.store, service.ranking, ("main",))
        await healing.heal("main")
        assert await service.ranking.progress("main") == Progress(1, readable=True)
        assert [e.user_id for e in (await service.ranking.page("main", 10, 0)).entries] == ["ada"]


async def test_of_two_processes_that_find_an_empty_copy_one_fills_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.healing.PAGE_SIZE", 2)
    await commit(service.store, *(submission(f"user-{n}") for n in range(20)))
    other = Healing(service.store, service.ranking, ("main",))
    await asyncio.gather(service.healing.heal("main"), other.heal("main"))
    assert await service.ranking.progress("main") == Progress(20, readable=True)
    assert service.store.stretches <= 12


async def test_a_process_that_dies_while_it_fills_is_taken_over_from(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.healing.PAGE_SIZE", 2)
    await commit(service.store, *(submission(f"user-{n}") for n in range(20)))
    other = asyncio.create_task(Healing(service.store, service.ranking, ("main",)).heal("main"))
    healing = asyncio.create_task(service.healing.heal("main"))
    await until(lambda: service.store.stretches >= 5)
    other.cancel()
    await asyncio.wait_for(healing, 5)
    assert await service.ranking.progress("main") == Progress(20, readable=True)


async def test_the_loop_names_a_lost_partner_and_goes_on(service: Service) -> None:
    service.ranking.gone = True
    healing = asyncio.create_task(service.healing.run())
    await until(lambda: service.healing.lost == {"ranking"})
    service.ranking.gone = False
    await commit(service.store, submission("ada"))
    await until(lambda: not service.healing.lost)
    assert await service.ranking.progress("main") == Progress(1, readable=True)
    healing.cancel()


async def test_a_store_that_is_gone_too_is_asked_once_a_second_by_all_together(service: Service) -> None:
    service.store.fails = True
    answers = await asyncio.gather(*(service.version() for _ in range(50)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert service.store.pages == 1


async def test_pages_further_down_cost_the_store_one_reading_a_second_and_the_top_none(service: Service) -> None:
    await commit(service.store, submission("ada"))
    for offset in range(200, 250):
        with suppress(StoreUnavailable):
            await service.scoring.board(None, 10, offset)
        assert await service.version() == 1
    assert service.store.pages == 2


async def test_publishing_goes_on_when_a_board_can_be_read_again(service: Service) -> None:
    hub = Hub(["main"])
    frames = Frames(service.scoring.board, hub, ("main",))
    service.store.fails = True
    refreshing = asyncio.create_task(frames.refresh())
    await until(lambda: service.store.pages > 0)
    assert hub.newest("main") is None
    service.store.fails = False
    service.clock.advance(1)
    await until(lambda: hub.newest("main") is not None)
    refreshing.cancel()


async def test_with_both_partners_gone_the_last_known_board_is_shown_and_says_so(service: Service) -> None:
    await service.healing.heal("main")
    await service.score()
    hub = Hub(["main"])
    frames = Frames(service.scoring.board, hub, ("main",))
    await frames.publish("main")
    known = newest(hub)
    service.ranking.gone = service.store.fails = True
    stale = await frames.page("main")
    assert json.loads(stale.body) == {**json.loads(known.body), "stale": True}
    assert await frames.page("main") is stale
    assert stale.etag != known.etag
    await frames.publish("main")
    assert newest(hub).is_stale
    with pytest.raises(StoreUnavailable):
        await frames.page("main", 5, 5)
    service.ranking.gone = False
    await frames.publish("main")
    assert newest(hub).body == known.body


def newest(hub: Hub) -> Frame:
    frame = hub.newest("main")
    assert frame is not None
    return frame


async def until(is_so: Callable[[], bool]) -> None:
    """Let everything else go on until something is so, for five seconds at the most."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  # the loops under test have no event to wait for
            await asyncio.sleep(0.001)


async def test_many_different_pages_are_kept_within_bounds(service: Service) -> None:
    await service.healing.heal("main")
    await service.score()
    frames = Frames(service.scoring.board, Hub(["main"]), ("main",))
    first = await frames.page("main", 1, 0)
    for offset in range(600):
        await frames.page("main", 1, offset)
    assert (await frames.page("main", 1, 0)).body == first.body
