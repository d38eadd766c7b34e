"""Publication of changed boards to the hub."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import structlog

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.failures import Failures
from scoreboard.resilience.shared_call import SharedCall

READ_PACE_SECONDS: Final = 0.01
"""Minimum time between two reads of a board that changes constantly. The hub adds its own pace, 25 ms."""

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
        self._publish_board = {
            board: SharedCall(partial(self._read_and_publish, board), pause_seconds=READ_PACE_SECONDS)
            for board in boards
        }
        self._board_loops = {
            board: BackgroundLoop("publish", partial(self._publish_if_watched, board), observer)
            for board in boards
        }
        self.loops = (BackgroundLoop("refresh", self._refresh, observer), *self._board_loops.values())

    async def publish(self, board: str) -> None:
        """Publish the board's newest top to the hub.

        If the board cannot be read, raises StoreUnavailable. If its newest frame is older than a correction,
        that frame is dropped first, and the streams of the board end.
        """
        await self._publish_board[board].run()

    async def _read_and_publish(self, board: str) -> None:
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
        async for board in changed_boards:
            self._board_loops[board].wake()

    async def _publish_if_watched(self, board: str) -> None:
        if self._hub.has_subscribers(board):
            await self._publish_or_log(board)

    async def _refresh(self) -> float:
        """Publish all boards. The hub sends nothing if a board has not changed."""
        for board in self._boards:
            await self._publish_or_log(board)
        return REFRESH_SECONDS

    async def _publish_or_log(self, board: str) -> None:
        with self._failures.catch(board=board):
            try:
                await self.publish(board)
            except StoreUnavailable as error:
                log.warning("a board cannot be read", board=board, reason=error.code)
