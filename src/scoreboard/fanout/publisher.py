"""Publication of changed boards to the hub."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import structlog

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background import Failures
from scoreboard.resilience.coalescing import Coalesced

READ_PACE_SECONDS: Final = 0.01
"""Minimum time between two reads of a board that changes all the time. It adds to the hub's own pace, 25 ms."""

REFRESH_SECONDS: Final = 1.0
"""Interval at which all boards are read, in case a hint was lost."""

log = structlog.get_logger()


class Publisher:
    """Reads the top of each board that has changed, and publishes it to the hub."""

    def __init__(
        self, cache: BoardCache, hub: Hub, boards: tuple[str, ...], observer: Observer = NULL_OBSERVER
    ) -> None:
        self._failures = Failures("publish", observer)
        self._cache = cache
        self._hub = hub
        self._boards = boards
        self._due: set[str] = set()
        self._read_at: dict[str, float] = {}
        """When the last read of each board began."""
        self._publish = {board: Coalesced(partial(self._publish_now, board)) for board in boards}

    async def publish(self, board: str) -> None:
        """Publish the board's newest top to the hub.

        Raises StoreUnavailable. The hub then drops a frame that is older than a correction, and ends the board's
        streams.
        """
        await self._publish[board]()

    async def _publish_now(self, board: str) -> None:
        try:
            frame = await self._cache.page(board)
        except StoreUnavailable:
            newest = self._hub.newest(board)
            if newest is not None and not self._cache.may_serve(newest):
                await self._hub.withdraw(board)
            raise
        self._hub.publish(frame)

    async def follow(self, changed_boards: AsyncIterator[str]) -> None:
        """Publish each named board that has subscribers, at most once per `READ_PACE_SECONDS`."""
        self._due.clear()
        async with asyncio.TaskGroup() as group:
            async for board in changed_boards:
                if board not in self._due and self._hub.has_subscribers(board):
                    self._due.add(board)
                    group.create_task(self._publish_in_time(board))

    async def _publish_in_time(self, board: str) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._read_at.get(board, float("-inf")) + READ_PACE_SECONDS - clock()))
        self._read_at[board] = clock()
        # A hint that arrives from here on may be too late for this read.
        self._due.discard(board)
        await self._try(board)

    async def refresh(self) -> None:
        """Publish all boards once a second. The hub sends nothing if a board has not changed."""
        while True:
            for board in self._boards:
                await self._try(board)
            await asyncio.sleep(REFRESH_SECONDS)

    async def _try(self, board: str) -> None:
        with self._failures.survived(board=board):
            try:
                await self.publish(board)
            except StoreUnavailable as error:
                log.warning("a board cannot be read", board=board, reason=error.code)
