"""Cache of encoded pages of boards."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from scoreboard.domain.boards import ALL_TIME, Board
from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.standings import Snapshot
from scoreboard.fanout.encoding import Frame, encode_board

MAX_FRAMES: Final = 256
"""Pages in the cache (about 1 KB each)."""

ReadBoard = Callable[[str, int, int, str], Awaitable[Snapshot]]
"""Reads the rows of a board: its id, limit, offset and period."""


class BoardCache:
    """Pages of all boards. A page is encoded again only if it has changed."""

    def __init__(
        self,
        read: ReadBoard,
        boards: Mapping[str, Board],
        *,
        minimum_version: Callable[[str], int] = lambda _board: 0,
    ) -> None:
        """`minimum_version` returns the lowest version of a board that may still be served."""
        self._read = read
        self._rows = {board.id: board.rows for board in boards.values()}
        self._columns = {board.id: board.column_ids for board in boards.values()}
        self._minimum_version = minimum_version
        self._frames: dict[tuple[str, int, int, str], Frame] = {}

    async def page(
        self, board: str, limit: int | None = None, offset: int = 0, period: str = ALL_TIME
    ) -> Frame:
        """Return the current page, or the last known one (stale) if neither ranking nor store can be read.

        By default, it has the rows of the board's stream.
        Raises StoreUnavailable if no page is known, or only one from before a correction.
        """
        key = (board, self._rows[board] if limit is None else limit, offset, period)
        try:
            snapshot, is_stale = await self._read(*key), False
        except StoreUnavailable:
            known = self._frames.get(key)
            if known is None or not self.may_serve(known):
                raise
            snapshot, is_stale = known.snapshot, True
        known = self._frames.get(key)
        if known is not None and (known.snapshot, known.is_stale) == (snapshot, is_stale):
            return known
        frame = encode_board(snapshot, self._columns[board], is_stale=is_stale)
        if len(self._frames) >= MAX_FRAMES:
            self._frames.clear()
        self._frames[key] = frame
        return frame

    def may_serve(self, frame: Frame) -> bool:
        """Return True unless the frame is older than the newest correction of its board."""
        return frame.snapshot.version >= self._minimum_version(frame.snapshot.board)
