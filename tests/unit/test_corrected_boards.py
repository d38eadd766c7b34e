"""Pages from before a correction are not served, whatever is unavailable."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from scoreboard.domain.administration import Correction, CorrectionFacts, DecideCorrection
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import OutcomeUnknown, QueueFull, StoreUnavailable
from scoreboard.domain.events import EventKind
from scoreboard.domain.standings import Player
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.fanout.stream_view import StreamView
from scoreboard.services.administer import MAX_WAITING
from tests.contract.correcting import about, correct
from tests.making import MAIN, commit, submission
from tests.service import Service, opened, until


async def test_after_a_correction_by_another_process_older_pages_are_not_served(
    filled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.heal.INTERVAL_SECONDS", 0.01)
    hub = Hub(["main"])
    cache = BoardCache(filled.reader.page, {"main": MAIN}, minimum_version=filled.minimum.of)
    publisher = Publisher(cache, hub, ("main",))
    await cache.page("main", 5, 0)
    await publisher.publish(StreamView("main"))
    # Without the ranking, only the store knows of the ban.
    filled.ranking.is_unavailable = True
    await correct(filled.store, about(EventKind.BAN))
    async with filled.healer.loop:
        await until(lambda: filled.minimum.of("main") == 2)
    filled.store.fails = True
    with pytest.raises(StoreUnavailable):
        await cache.page("main", 5, 0)
    with pytest.raises(StoreUnavailable):
        await publisher.publish(StreamView("main"))
    assert hub.newest(StreamView("main")) is None


@pytest.mark.parametrize("is_written", [True, False])
async def test_after_a_correction_with_an_unknown_outcome_no_older_page_is_served(
    filled: Service, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    write = filled.store.correct

    async def lose_the_connection(correction: Correction, decide: DecideCorrection) -> Decision:
        class LostConnection(Exception):
            pass

        def decide_and_fail(facts: CorrectionFacts) -> tuple[Decision, Player | None]:
            decide(facts)
            raise LostConnection

        with suppress(LostConnection):
            await write(correction, decide if is_written else decide_and_fail)
        raise OutcomeUnknown

    monkeypatch.setattr(filled.store, "correct", lose_the_connection)
    administration = filled.administration()
    with pytest.raises(OutcomeUnknown):
        await administration.correct(about(EventKind.BAN))
    filled.store.fails = True
    with pytest.raises(StoreUnavailable):
        await filled.reader.page(None, 10)
    filled.store.fails = False
    filled.clock.advance(1)
    page = await filled.reader.page(None, 10)
    assert (page.version, page.players) == ((2, 0) if is_written else (1, 1))
    # The ranking is read again, unless it lacks the correction.
    pages = filled.store.pages
    await filled.reader.page(None, 10)
    assert filled.store.pages == pages


async def test_the_number_of_waiting_corrections_is_limited(
    filled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = filled.store.correct
    go_on = asyncio.Event()

    async def wait_and_correct(correction: Correction, decide: DecideCorrection) -> Decision:
        await go_on.wait()
        return await write(correction, decide)

    monkeypatch.setattr(filled.store, "correct", wait_and_correct)
    administration = filled.administration()
    adjustment = about(EventKind.ADJUST, board="main", points=1)
    waiting = [asyncio.create_task(administration.correct(adjustment)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await administration.correct(adjustment)
    go_on.set()
    assert {(await task).events for task in waiting} == {1}
    assert (await administration.correct(adjustment)).versions == {"main": MAX_WAITING + 2}


@pytest.mark.parametrize("offset", [0, 200])
async def test_without_a_ranking_a_page_from_before_a_correction_is_read_again(
    service: Service, offset: int
) -> None:
    await commit(service.store, submission("ada"))
    assert (await service.reader.page(None, 10, offset)).version == 1
    await service.applier.apply_correction(await correct(service.store, about(EventKind.BAN)))
    assert (await service.reader.page(None, 10, offset)).version == 2
    assert service.store.pages == 2


async def test_a_ranking_that_lacks_a_correction_is_not_read(filled: Service) -> None:
    assert (await filled.reader.page(None, 10)).players == 1
    filled.ranking.is_unavailable = True
    await filled.applier.apply_correction(await correct(filled.store, about(EventKind.BAN)))
    filled.ranking.is_unavailable = False
    filled.store.fails = True
    with pytest.raises(StoreUnavailable):
        await filled.reader.page(None, 10)
    filled.store.fails = False
    filled.clock.advance(1)
    assert (await filled.reader.page(None, 10)).players == 0


async def test_after_a_restored_backup_an_older_version_is_served_again(service: Service, path: Path) -> None:
    await commit(service.store, submission("ada"))
    backup = path.with_name("backup.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    service.ranking.is_unavailable = True
    await service.applier.apply_correction(await correct(service.store, about(EventKind.BAN)))
    assert (await service.reader.page(None, 10)).version == 2
    async with opened(backup) as restored:
        service.store.read = restored.store.read  # type: ignore[method-assign]
        service.clock.advance(1)
        for _ in range(10):
            assert (await service.reader.page(None, 10)).version == 1
        assert restored.store.pages == 1
