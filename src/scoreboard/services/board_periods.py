"""The periods of boards: which ones are open, and which one a request is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scoreboard.domain.boards import ALL_TIME, Board
from scoreboard.domain.errors import StoreUnavailable, UnknownPeriod
from scoreboard.domain.events import Head
from scoreboard.domain.periods import Period, PeriodKind, earlier, is_kind, kind_of, parse_period, period_at
from scoreboard.ports.clock import Clock
from scoreboard.ports.store import Store
from scoreboard.resilience.shared_call import SharedCall

HEADS_SECONDS: Final = 1.0
"""How long the open periods of all boards are reused. One query reads all of them."""


@dataclass(frozen=True, slots=True)
class View:
    """The standings of a board in a period: `all`, an id, or a kind for the one that is open at the read.

    Of a period that is over, only corrections change them.
    """

    board: Board
    period: str = ALL_TIME
    is_over: bool = False


class BoardPeriods:
    """The open periods of the boards. The ledger determines them, and not the clock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._read_heads = SharedCall(store.heads, monotonic=clock.monotonic)
        self._known: Mapping[str, Head] = {}

    async def open_periods(self, board: Board, max_age_seconds: float = HEADS_SECONDS) -> tuple[Period, ...]:
        """Return the open period of each kind that the board has.

        Before the first event of a board, they are those of now. If the store is unavailable, they are the
        last known ones. Raises StoreUnavailable if none are known.
        """
        if not board.definition.periods:
            return ()
        await self._refresh(board, max_age_seconds)
        now_us = self._clock.now_us()
        periods = self._current(board, now_us)
        if max_age_seconds and any(period.ends_us <= now_us for period in periods):
            # The rollover may have happened meanwhile. Concurrent requests share the query.
            await self._refresh(board, 0)
            periods = self._current(board, now_us)
        return periods

    async def _refresh(self, board: Board, max_age_seconds: float) -> None:
        try:
            self._known = await self._read_heads.run(max_age_seconds)
        except StoreUnavailable:
            if board.id not in self._known:
                raise

    def _current(self, board: Board, now_us: int) -> tuple[Period, ...]:
        opened = self._opened(board.id)
        return tuple(
            parse_period(opened[kind], board.timezone)
            if kind in opened
            else period_at(kind, now_us, board.timezone)
            for kind in board.definition.periods
        )

    def is_over(self, board: str, period: str) -> bool:
        """Return True if a period is known to be over. It is not opened again."""
        if period == ALL_TIME or is_kind(period):
            return False
        return period < self._opened(board).get(kind_of(period), period)

    async def id_of(self, board: Board, period: str) -> str:
        """Return the id of a period: of a kind, that of the one that is open now.

        This reads which periods are open. Raises StoreUnavailable.
        """
        opened = await self.open_periods(board, max_age_seconds=0)
        return next((each.id for each in opened if each.kind == period), period)

    def has_begun(self, board: str, period: str) -> bool:
        """Return True if a period of this kind is known to have begun: none has before the first event."""
        return period == ALL_TIME or kind_of(period) in self._opened(board)

    async def view(self, board: Board, period: str, ago: int = 0) -> View:
        """Return the view of a period: `all`, a kind such as `week`, or an id such as `2026-W48`.

        A kind stays one: the read itself finds the period that is open.
        With `ago`, it is the one so many periods earlier. Raises UnknownPeriod, also for a period that has
        not begun, and StoreUnavailable.
        """
        if period == ALL_TIME and not ago:
            return View(board)
        if period in board.definition.periods and not ago:
            return View(board, period)
        opened = {each.kind.value: each for each in await self.open_periods(board)}
        try:
            found = opened[period] if period in opened else parse_period(period, board.timezone)
            found = earlier(found, ago, board.timezone)
        except (ValueError, OverflowError):
            raise UnknownPeriod(period, board.id) from None
        current = opened.get(found.kind)
        # The ids of one kind sort as text like the periods.
        if current is None or found.id > current.id:
            raise UnknownPeriod(period, board.id)
        return View(board, found.id, is_over=found.id < current.id)

    def _opened(self, board: str) -> Mapping[PeriodKind, str]:
        head = self._known.get(board)
        return {} if head is None else head.periods
