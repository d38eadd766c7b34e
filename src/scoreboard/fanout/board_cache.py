"""Cache of encoded pages of boards."""

from collections.abc import Awaitable, Callable
from typing import Final

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.standings import Snapshot
from scoreboard.fanout.encoding import Frame, encode_board

TOP: Final = 10
"""Entries on a stream, and on a page by default."""

MAX_FRAMES: Final = 256
"""Pages in the cache (about 1 KB each)."""

ReadBoard = Callable[[str, int, int], Awaitable[Snapshot]]


class BoardCache:
    """Pages of all boards. A page is encoded again only if it has changed."""

    def __init__(self, read: ReadBoard, *, minimum_version: Callable[[str], int] = lambda _board: 0) -> None:
        """`minimum_version` returns the lowest version of a board that may still be served."""
        self._read = read
        self._minimum_version = minimum_version
        self._frames: dict[tuple[str, int, int], Frame] = {}

    async def page(self, board: str, limit: int = TOP, offset: int = 0) -> Frame:
        """Return the current page, or the last known one (stale) if neither ranking nor store can be read.

        Raises StoreUnavailable if no page is known, or only one from before a correction.
        """
        try:
            snapshot, is_stale = await self._read(board, limit, offset), False
        except StoreUnavailable:
            known = self._frames.get((board, limit, offset))
            if known is None or not self.may_serve(known):
                raise
            snapshot, is_stale = known.snapshot, True
        known = self._frames.get((board, limit, offset))
        if known is not None and (known.snapshot, known.is_stale) == (snapshot, is_stale):
            return known
        frame = encode_board(snapshot, is_stale=is_stale)
        if len(self._frames) >= MAX_FRAMES:
            self._frames.clear()
        self._frames[board, limit, offset] = frame
        return frame

    def may_serve(self, frame: Frame) -> bool:
        """Return True unless the frame is older than the newest correction of its board."""
        return frame.snapshot.version >= self._minimum_version(frame.snapshot.board)
