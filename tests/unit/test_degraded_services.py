"""Scores and reads while the ranking is missing, late or wrong."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.standings import ChangeKind, Snapshot
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.encoding import Frame
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.fanout.stream_view import StreamView
from scoreboard.services.answer import UNAPPLIED_BATCHES
from tests.limits import LIMIT_SECONDS
from tests.making import MAIN, check_copy, commit, submission
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


async def test_a_slow_read_of_a_stream_that_opens_does_not_replace_a_newer_board(filled: Service) -> None:
    view = StreamView("main", rows=5)
    has_read, go_on = asyncio.Event(), asyncio.Event()

    async def read(board: str, limit: int, offset: int, period: str) -> Snapshot:
        snapshot = await filled.reader.page(board, limit, offset, period)
        if limit == view.rows and not has_read.is_set():
            has_read.set()
            await go_on.wait()
        return snapshot

    hub = Hub(["main"])
    publisher = Publisher(BoardCache(read, {"main": MAIN}), hub, ("main",))
    hub.open(view)
    slow = asyncio.create_task(publisher.publish(view))
    await has_read.wait()
    await publisher._refresh()
    assert await filled.score("bob") == 2
    later = asyncio.create_task(publisher.publish(view))
    for _ in range(100):
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(slow, later)
    newest = hub.newest(view)
    assert newest is not None
    assert newest.snapshot.version == await filled.version()


async def test_a_gap_is_healed_by_the_next_score(filled: Service) -> None:
    await commit(filled.store, submission("bob"), submission("cyd"))
    assert await filled.score("bob") == 1
    assert await filled.version() == 4


async def test_without_a_ranking_a_score_is_accepted_without_a_rank(filled: Service) -> None:
    filled.ranking.is_unavailable = True
    assert await filled.score() is None
    assert await filled.score(key="k") is None
    assert await filled.score(key="k") is None
    assert await filled.version() == 3
    filled.ranking.is_unavailable = False
    assert await filled.score() == 1
    assert await filled.version() == 4


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
    await check_copy(service.ranking, service.store, 10)
    assert await service.version() == 4 * UNAPPLIED_BATCHES + 1
    assert service.ranking.steps == UNAPPLIED_BATCHES + 2


async def test_a_board_is_never_older_than_one_that_was_read_before(filled: Service) -> None:
    await commit(filled.store, submission("bob"))
    filled.ranking.is_unavailable = True
    assert await filled.version() == 2
    filled.ranking.is_unavailable = False
    assert (await filled.ranking.copy_state("main")).version == 1
    assert await filled.version() == 2


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
    cache = BoardCache(service.reader.page, {"main": MAIN})
    publisher = Publisher(cache, hub, ("main",))
    service.store.fails = True
    async with publisher.loops[0]:
        await until(lambda: service.store.pages > 0)
        assert hub.newest(StreamView("main")) is None
        service.store.fails = False
        service.clock.advance(1)
        await until(lambda: hub.newest(StreamView("main")) is not None)


async def test_without_store_and_ranking_the_last_known_board_is_served_as_stale(filled: Service) -> None:
    hub = Hub(["main"])
    cache = BoardCache(filled.reader.page, {"main": MAIN})
    publisher = Publisher(cache, hub, ("main",))
    await publisher.publish(StreamView("main"))
    known = newest(hub)
    filled.ranking.is_unavailable = filled.store.fails = True
    stale = await cache.page("main")
    assert json.loads(stale.body) == {**json.loads(known.body), "stale": True}
    assert await cache.page("main") is stale
    assert stale.etag != known.etag
    await publisher.publish(StreamView("main"))
    assert newest(hub).is_stale
    with pytest.raises(StoreUnavailable):
        await cache.page("main", 5, 5)
    filled.ranking.is_unavailable = False
    await publisher.publish(StreamView("main"))
    assert newest(hub).body == known.body


def newest(hub: Hub) -> Frame:
    frame = hub.newest(StreamView("main"))
    assert frame is not None
    return frame


async def test_the_cache_of_pages_is_bounded(filled: Service) -> None:
    cache = BoardCache(filled.reader.page, {"main": MAIN})
    first = await cache.page("main", 1, 0)
    for offset in range(600):
        await cache.page("main", 1, offset)
    assert (await cache.page("main", 1, 0)).body == first.body
