"""Scores and reads while the ranking is missing, late or wrong."""

import asyncio
import json
import sqlite3
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from scoreboard.domain.administration import Correct, Correction, CorrectionFacts
from scoreboard.domain.corrections import correct
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import OutcomeUnknown, QueueFull, StoreUnavailable
from scoreboard.domain.events import EventKind
from scoreboard.domain.standings import ChangeKind, Player
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.encoding import Frame
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.services.administer import MAX_WAITING
from scoreboard.services.answer import UNAPPLIED_BATCHES
from tests.limits import LIMIT_SECONDS
from tests.making import commit, submission
from tests.service import Service, opened, until


async def test_a_board_is_read_from_the_store_until_the_ranking_is_filled(service: Service) -> None:
    await commit(service.store, submission("ada"))
    assert await service.version() == 1
    assert service.store.pages == 1
    await service.applier.heal("main")
    assert await service.version() == 1
    assert service.store.pages == 1


async def test_without_a_ranking_the_store_is_read_once_a_second_however_many_read(service: Service) -> None:
    await asyncio.gather(*(service.version() for _ in range(50)))
    assert service.store.pages == 1
    service.clock.advance(0.9)
    await service.version()
    assert service.store.pages == 1
    service.clock.advance(0.1)
    await service.version()
    assert service.store.pages == 2


async def test_a_score_does_not_wait_for_a_fill_of_the_ranking_but_starts_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The loop by itself would not compare again during this test.
    monkeypatch.setattr("scoreboard.services.heal.INTERVAL_SECONDS", 60.0)
    async with service.healer.loop:
        await until(lambda: service.ranking.is_readable)
        await service.ranking.drop("main")
        assert await service.score() is None
        await until(lambda: service.ranking.is_readable)
        assert await service.score() == 1


async def test_a_gap_is_healed_by_the_next_score(service: Service) -> None:
    await service.applier.heal("main")
    await service.score("ada")
    await commit(service.store, submission("bob"), submission("cyd"))
    assert await service.score("bob") == 1
    assert await service.version() == 4


async def test_without_a_ranking_a_score_is_accepted_without_a_rank(service: Service) -> None:
    await service.applier.heal("main")
    await service.score()
    service.ranking.is_unavailable = True
    assert await service.score() is None
    assert await service.score(key="k") is None
    assert await service.score(key="k") is None
    assert await service.version() == 3
    service.ranking.is_unavailable = False
    assert await service.score() == 1
    assert await service.version() == 4


async def test_a_repeat_does_not_get_a_rank_from_before_its_event(service: Service, path: Path) -> None:
    await service.applier.heal("main")
    await service.score("bob")
    # An older rank, in a copy that does not have the event yet.
    assert await service.score("ada") == 2
    async with opened(path) as other:
        await other.score("ada", key="k")
    assert await service.score("ada", key="k") is None
    await service.applier.heal("main")
    assert await service.score("ada", key="k") == 1


async def test_with_a_slow_ranking_scores_are_answered_without_a_rank_and_the_queue_is_bounded(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.answer.ANSWER_WITHOUT_RANK_SECONDS", 0.01)
    await service.applier.heal("main")
    service.ranking.holds = ChangeKind.STEP
    for _ in range(UNAPPLIED_BATCHES):
        assert await service.score() is None
    for _ in range(3 * UNAPPLIED_BATCHES):
        assert await service.score() is None
    service.ranking.go_on.set()
    await until(lambda: service.ranking.steps == UNAPPLIED_BATCHES)
    # The next score finds the gap and heals it.
    monkeypatch.setattr("scoreboard.services.answer.ANSWER_WITHOUT_RANK_SECONDS", LIMIT_SECONDS)
    assert await service.score() == 1
    assert await service.ranking.page("main", 10, 0) == await service.store.page("main", 10, 0)
    assert await service.version() == 4 * UNAPPLIED_BATCHES + 1
    assert service.ranking.steps == UNAPPLIED_BATCHES + 2


async def test_a_board_is_never_older_than_one_that_was_read_before(service: Service) -> None:
    await service.applier.heal("main")
    await service.score()
    await commit(service.store, submission("bob"))
    service.ranking.is_unavailable = True
    assert await service.version() == 2
    service.ranking.is_unavailable = False
    assert (await service.ranking.copy_state("main")).version == 1
    assert await service.version() == 2


async def test_an_unavailable_store_is_queried_once_a_second_however_many_read(service: Service) -> None:
    service.store.fails = True
    answers = await asyncio.gather(*(service.version() for _ in range(50)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert service.store.pages == 1


async def test_pages_beyond_the_top_are_read_from_the_store_once_a_second(
    service: Service,
) -> None:
    await commit(service.store, submission("ada"))
    for offset in range(200, 250):
        with suppress(StoreUnavailable):
            await service.reader.page(None, 10, offset)
        assert await service.version() == 1
    assert service.store.pages == 2


async def test_a_board_is_published_when_it_can_be_read_again(service: Service) -> None:
    hub = Hub(["main"])
    cache = BoardCache(service.reader.page)
    publisher = Publisher(cache, hub, ("main",))
    service.store.fails = True
    async with publisher.loops[0]:
        await until(lambda: service.store.pages > 0)
        assert hub.newest("main") is None
        service.store.fails = False
        service.clock.advance(1)
        await until(lambda: hub.newest("main") is not None)


async def test_without_store_and_ranking_the_last_known_board_is_served_as_stale(service: Service) -> None:
    await service.applier.heal("main")
    await service.score()
    hub = Hub(["main"])
    cache = BoardCache(service.reader.page)
    publisher = Publisher(cache, hub, ("main",))
    await publisher.publish("main")
    known = newest(hub)
    service.ranking.is_unavailable = service.store.fails = True
    stale = await cache.page("main")
    assert json.loads(stale.body) == {**json.loads(known.body), "stale": True}
    assert await cache.page("main") is stale
    assert stale.etag != known.etag
    await publisher.publish("main")
    assert newest(hub).is_stale
    with pytest.raises(StoreUnavailable):
        await cache.page("main", 5, 5)
    service.ranking.is_unavailable = False
    await publisher.publish("main")
    assert newest(hub).body == known.body


def newest(hub: Hub) -> Frame:
    frame = hub.newest("main")
    assert frame is not None
    return frame


async def test_the_cache_of_pages_is_bounded(service: Service) -> None:
    await service.applier.heal("main")
    await service.score()
    cache = BoardCache(service.reader.page)
    first = await cache.page("main", 1, 0)
    for offset in range(600):
        await cache.page("main", 1, offset)
    assert (await cache.page("main", 1, 0)).body == first.body


async def ban(service: Service, user_id: str) -> Decision:
    correction = Correction(EventKind.BAN, "root", "a test", user_id=user_id)
    return await service.store.correct(correction, partial(correct, correction, new_id=uuid4))


async def test_after_a_correction_by_another_process_older_pages_are_not_served(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.heal.INTERVAL_SECONDS", 0.01)
    await service.applier.heal("main")
    await service.score("ada")
    hub = Hub(["main"])
    cache = BoardCache(service.reader.page, minimum_version=service.minimum.of)
    publisher = Publisher(cache, hub, ("main",))
    await cache.page("main", 5, 0)
    await publisher.publish("main")
    # Without the ranking, only the store knows of the ban.
    service.ranking.is_unavailable = True
    await ban(service, "ada")
    async with service.healer.loop:
        await until(lambda: service.minimum.of("main") == 2)
    service.store.fails = True
    with pytest.raises(StoreUnavailable):
        await cache.page("main", 5, 0)
    with pytest.raises(StoreUnavailable):
        await publisher.publish("main")
    assert hub.newest("main") is None


@pytest.mark.parametrize("is_written", [True, False])
async def test_after_a_correction_with_an_unknown_outcome_no_older_page_is_served(
    service: Service, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    await service.applier.heal("main")
    await service.score("ada")
    write = service.store.correct

    async def lose_the_connection(correction: Correction, decide: Correct) -> Decision:
        class LostConnection(Exception):
            pass

        def decide_and_fail(facts: CorrectionFacts) -> tuple[Decision, Player | None]:
            decide(facts)
            raise LostConnection

        with suppress(LostConnection):
            await write(correction, decide if is_written else decide_and_fail)
        raise OutcomeUnknown

    monkeypatch.setattr(service.store, "correct", lose_the_connection)
    administration = service.administration()
    with pytest.raises(OutcomeUnknown):
        await administration.correct(Correction(EventKind.BAN, "root", "a test", user_id="ada"))
    service.store.fails = True
    with pytest.raises(StoreUnavailable):
        await service.reader.page(None, 10)
    service.store.fails = False
    service.clock.advance(1)
    page = await service.reader.page(None, 10)
    assert (page.version, page.players) == ((2, 0) if is_written else (1, 1))
    # The ranking is read again, unless it lacks the correction.
    pages = service.store.pages
    await service.reader.page(None, 10)
    assert service.store.pages == pages


async def test_the_number_of_waiting_corrections_is_limited(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.applier.heal("main")
    await service.score("ada")
    write = service.store.correct
    go_on = asyncio.Event()

    async def wait_and_correct(correction: Correction, decide: Correct) -> Decision:
        await go_on.wait()
        return await write(correction, decide)

    monkeypatch.setattr(service.store, "correct", wait_and_correct)
    administration = service.administration()
    adjustment = Correction(EventKind.ADJUST, "root", "a test", user_id="ada", board="main", points=1)
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
    await service.applier.apply_correction(await ban(service, "ada"))
    assert (await service.reader.page(None, 10, offset)).version == 2
    assert service.store.pages == 2


async def test_a_ranking_that_lacks_a_correction_is_not_read(service: Service) -> None:
    await service.applier.heal("main")
    await service.score("ada")
    assert (await service.reader.page(None, 10)).players == 1
    service.ranking.is_unavailable = True
    await service.applier.apply_correction(await ban(service, "ada"))
    service.ranking.is_unavailable = False
    service.store.fails = True
    with pytest.raises(StoreUnavailable):
        await service.reader.page(None, 10)
    service.store.fails = False
    service.clock.advance(1)
    assert (await service.reader.page(None, 10)).players == 0


async def test_after_a_restored_backup_an_older_version_is_served_again(service: Service, path: Path) -> None:
    await commit(service.store, submission("ada"))
    backup = path.with_name("backup.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    service.ranking.is_unavailable = True
    await service.applier.apply_correction(await ban(service, "ada"))
    assert (await service.reader.page(None, 10)).version == 2
    async with opened(backup) as restored:
        service.store.page = restored.store.page  # type: ignore[method-assign]
        service.clock.advance(1)
        for _ in range(10):
            assert (await service.reader.page(None, 10)).version == 1
        assert restored.store.pages == 1
