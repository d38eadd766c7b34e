"""Boards as frames: read, encoded where they have changed, and given to whoever asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.standings import Snapshot
from scoreboard.fanout.frame import Frame, encode
from scoreboard.fanout.hub import Hub
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background import Failures
from scoreboard.resilience.coalescing import Coalesced

TOP: Final = 10
"""How many entries a stream shows, and a read that does not say."""

KEPT_FRAMES: Final = 256
"""Different pages that are kept encoded (~1 KB each)."""

READ_PACE_SECONDS: Final = 0.01
"""Between two readings of a board that changes all the time: far below the hub's own pace, to which it adds."""

REFRESH_SECONDS: Final = 1.0
"""The safety net: a notification is a hint, and losing one costs this much at the most."""

log = structlog.get_logger()

ReadBoard = Callable[[str, int, int], Awaitable[Snapshot]]


class Frames:
    """The encoded pages of all boards, and the tops of them on their way to the hub."""

    def __init__(
        self,
        read: ReadBoard,
        hub: Hub,
        boards: tuple[str, ...],
        observer: Observer = NULL_OBSERVER,
        *,
        minimum_version: Callable[[str], int] = lambda _board: 0,
    ) -> None:
        """`minimum_version` returns the lowest version of a board that may still be served."""
        self._failures = Failures("publish", observer)
        self._read = read
        self._minimum_version = minimum_version
        self._hub = hub
        self._boards = boards
        self._kept: dict[tuple[str, int, int], Frame] = {}
        self._due: set[str] = set()
        self._begun: dict[str, float] = {}
        self._publish = {board: Coalesced(partial(self._publish_now, board)) for board in boards}

    async def page(self, board: str, limit: int = TOP, offset: int = 0) -> Frame:
        """A page of a board as it is now, or where nobody can tell, as it was last known (it is stale then).

        Raises StoreUnavailable if no frame is known, or only one from before a correction.
        """
        try:
            snapshot, is_stale = await self._read(board, limit, offset), False
        except StoreUnavailable:
            known = self._kept.get((board, limit, offset))
            if known is None or not self._may_serve(known):
                raise
            snapshot, is_stale = known.snapshot, True
        kept = self._kept.get((board, limit, offset))
        if kept is not None and (kept.snapshot, kept.is_stale) == (snapshot, is_stale):
            return kept
        frame = encode(snapshot, is_stale=is_stale)
        if len(self._kept) >= KEPT_FRAMES:
            self._kept.clear()
        self._kept[board, limit, offset] = frame
        return frame

    async def publish(self, board: str) -> None:
        """Publish the board's newest top to the hub.

        Raises StoreUnavailable. The hub then drops a frame that is older than a correction, and ends the board's
        streams.
        """
        await self._publish[board]()

    async def _publish_now(self, board: str) -> None:
        try:
            frame = await self.page(board)
        except StoreUnavailable:
            newest = self._hub.newest(board)
            if newest is not None and not self._may_serve(newest):
                await self._hub.withdraw(board)
            raise
        self._hub.publish(frame)

    def _may_serve(self, known: Frame) -> bool:
        """Return True if a cached frame may be shown again."""
        return known.snapshot.version >= self._minimum_version(known.snapshot.board)

    async def follow(self, changed: AsyncIterator[str]) -> None:
        """Publish each board that is named and watched, at once, and again after a pause, for ever."""
        self._due.clear()
        async with asyncio.TaskGroup() as group:
            async for board in changed:
                if board not in self._due and self._hub.is_watched(board):
                    self._due.add(board)
                    group.create_task(self._publish_in_time(board))

    async def _publish_in_time(self, board: str) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._begun.get(board, float("-inf")) + READ_PACE_SECONDS - clock()))
        self._begun[board] = clock()
        # What is named from here on may come too late for this reading.
        self._due.discard(board)
        await self._try(board)

    async def refresh(self) -> None:
        """Publish every board every second, for ever; where nothing has changed, nothing is sent."""
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
