"""The rings of a hub: one for each view of a board that clients watch."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from scoreboard.domain.errors import TooManyViews
from scoreboard.fanout.ring import Ring
from scoreboard.fanout.stream_view import StreamView

UNUSED_SECONDS: Final = 60.0
"""Time for which a ring without subscribers is kept: clients that reconnect find their frame."""

MAX_LIMITS: Final = 256
"""Views with a limit of their own. Each one is read and encoded whenever its board changes."""


class Rings:
    """The rings by view. Those of the boards of all time exist always, all others while they are used.

    The views without a limit of their own are few: one for each board and kind of period.
    """

    def __init__(self, boards: Iterable[str], make: Callable[[], Ring]) -> None:
        self._make = make
        self._rings = {StreamView(board): make() for board in boards}
        self._views: dict[str, tuple[StreamView, ...]] = {view.board: (view,) for view in self._rings}
        self._unused_since: dict[StreamView, float] = {}

    def __getitem__(self, view: StreamView) -> Ring:
        return self._rings[view]

    def __iter__(self) -> Iterator[Ring]:
        # A copy: rings may be added meanwhile, and /metrics is read on another thread.
        return iter(tuple(self._rings.values()))

    def get(self, view: StreamView) -> Ring | None:
        """Return the ring of a view, if there is one."""
        return self._rings.get(view)

    def items(self) -> tuple[tuple[StreamView, Ring], ...]:
        return tuple(self._rings.items())

    def views(self, board: str) -> tuple[StreamView, ...]:
        """Return the views of a board that have a ring."""
        return self._views[board]

    def add(self, view: StreamView) -> None:
        """Have a ring for a view. Raises TooManyViews."""
        self._unused_since.pop(view, None)
        if view in self._rings:
            return
        if view.rows is not None and sum(known.rows is not None for known in self._rings) >= MAX_LIMITS:
            raise TooManyViews
        self._rings[view] = self._make()
        self._views[view.board] += (view,)

    def remove_unused(self, now: float) -> None:
        """Remove the rings that have had no subscribers for `UNUSED_SECONDS`. Call it about once a second."""
        for view, ring in self.items():
            if len(ring) or view == StreamView(view.board):
                self._unused_since.pop(view, None)
            elif now - self._unused_since.setdefault(view, now) >= UNUSED_SECONDS:
                del self._unused_since[view], self._rings[view]
                self._views[view.board] = tuple(known for known in self._views[view.board] if known != view)
