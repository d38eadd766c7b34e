"""Publication of changed boards to the hub."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

import structlog

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.stream_view import StreamView
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.failures import Failures
from scoreboard.resilience.shared_call import SharedCall

READ_PACE_SECONDS: Final = 0.01
"""Minimum time between two reads of a board that changes constantly. The hub adds its own pace, 25 ms."""

REFRESH_SECONDS: Final = 1.0
"""Interval at which watched boards are read, in case a hint was lost."""

log = structlog.get_logger()


class Publisher:
    """Reads the watched views of each board that has changed, and publishes them to the hub."""

    def __init__(
        self,
        cache: BoardCache,
        hub: Hub,
        boards: tuple[str, ...],
        observer: Observer = NULL_OBSERVER,
        *,
        known_version: Callable[[str], int | None] = lambda _board: None,
    ) -> None:
        """`known_version` returns the newest version of a board that is known without a query, if any."""
        self._failures = Failures("publish", observer)
        self._cache = cache
        self._hub = hub
        self._boards = boards
        self._known_version = known_version
        self._publish_view: dict[StreamView, SharedCall[None]] = {}
        self._board_loops = {
            board: BackgroundLoop("publish", partial(self._publish_if_watched, board), observer)
            for board in boards
        }
        self.loops = (BackgroundLoop("refresh", self._refresh, observer), *self._board_loops.values())

    async def publish(self, view: StreamView) -> None:
        """Publish the newest rows of a view to the hub.

        If they cannot be read, raises StoreUnavailable. If the newest frame is older than a correction, that
        frame is dropped first, and the streams of the view end.
        """
        call = self._publish_view.get(view)
        if call is None:
            call = SharedCall(partial(self._read_and_publish, view), pause_seconds=READ_PACE_SECONDS)
            self._publish_view[view] = call
        await call.run()

    async def _read_and_publish(self, view: StreamView) -> None:
        try:
            frame = await self._cache.page(view.board, view.rows, period=view.period)
        except StoreUnavailable:
            newest = self._hub.newest(view)
            if newest is not None and not self._cache.may_serve(newest):
                await self._hub.withdraw(view)
            raise
        self._hub.publish(frame, view)

    async def follow(self, changed_boards: AsyncIterator[str]) -> None:
        """Publish the watched views of each named board, at most once per `READ_PACE_SECONDS`."""
        async for board in changed_boards:
            self._board_loops[board].wake()

    async def _publish_if_watched(self, board: str) -> None:
        for view in self._hub.watched_views(board):
            await self._publish_or_log(view)

    async def _refresh(self) -> float:
        """Publish the watched views, and the boards without streams that have a newer version.

        The hub sends nothing if a view has not changed.
        """
        views = {
            view: None
            for board in self._boards
            for view in (*self._hub.watched_views(board), *self._outdated(StreamView(board)))
        }
        # A stream may be opening. Two reads of a view at the same time could end in the wrong order.
        for view in [view for view in self._publish_view if not self._hub.is_open(view)]:
            del self._publish_view[view]
        for view in views:
            await self._publish_or_log(view)
        return REFRESH_SECONDS

    def _outdated(self, view: StreamView) -> tuple[StreamView, ...]:
        """Return the view, unless its newest frame has the board's version."""
        frame = self._hub.newest(view)
        is_current = (
            frame is not None
            and not frame.is_stale
            and frame.snapshot.version == self._known_version(view.board)
        )
        return () if is_current else (view,)

    async def _publish_or_log(self, view: StreamView) -> None:
        with self._failures.catch(board=view.board):
            try:
                await self.publish(view)
            except StoreUnavailable as error:
                log.warning("a board cannot be read", board=view.board, reason=error.code)
