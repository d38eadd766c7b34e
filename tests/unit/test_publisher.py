"""Boards are read for their streams once a second, and without streams only when they have changed."""

import asyncio

from scoreboard.domain.boards import Board
from scoreboard.domain.standings import Snapshot
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import REFRESH_SECONDS, Publisher
from tests.subscribers import MAIN, frame, joined, with_hub


@with_hub
async def test_a_board_without_streams_is_read_only_when_it_has_a_newer_version(hub: Hub) -> None:
    versions = {"main": 1}
    reads: list[int] = []

    async def read(board: str, _limit: int, _offset: int, _period: str) -> Snapshot:
        reads.append(versions[board])
        return frame(versions[board]).snapshot

    cache = BoardCache(read, {"main": Board("main", "Main")})
    publisher = Publisher(cache, hub, ("main",), known_version=versions.get)
    async with publisher.loops[0]:
        await asyncio.sleep(3.5 * REFRESH_SECONDS)
        assert reads == [1]
        versions["main"] = 2
        await asyncio.sleep(3 * REFRESH_SECONDS)
        assert reads == [1, 2]
        (watcher,) = joined(hub, 1)
        await asyncio.sleep(3 * REFRESH_SECONDS)
        assert reads == [1, 2, 2, 2, 2]
    newest = hub.newest(MAIN)
    assert newest is not None
    assert (newest.snapshot.version, watcher.is_closed) == (2, False)
