"""The rows that a client watches: of which board and period, and how many."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from scoreboard.cli.watch.schemas import Definition, Definitions
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import UTC
from scoreboard.domain.errors import StartError
from scoreboard.domain.periods import PeriodKind, is_kind, kind_of, parse_period
from scoreboard.domain.plain_text import check_id, printable

_PLAIN: Final = Definition()


@dataclass(frozen=True, slots=True)
class View:
    """A board, a period (`all`, a kind such as `week`, or an id such as `2026-W48`) and a number of rows.

    Raises StartError if one of them is not valid.
    """

    board: str | None = None
    period: str = ALL_TIME
    limit: int | None = None

    def __post_init__(self) -> None:
        try:
            if self.board is not None:
                check_id(self.board)
        except ValueError as error:
            raise StartError(f"The board's id {error}.") from error
        try:
            if self.is_named:
                parse_period(self.period, UTC)
        except (ValueError, OverflowError) as error:
            kinds = ", ".join(kind.value for kind in PeriodKind)
            raise StartError(
                f"The period “{printable(self.period)}” is not valid: use {ALL_TIME}, {kinds}, or an id "
                "such as 2026-11-28, 2026-W48 or 2026-11."
            ) from error

    @property
    def is_named(self) -> bool:
        """True if the period is a certain one, which ends once."""
        return self.period != ALL_TIME and not is_kind(self.period)

    def is_streamed(self, definition: Definition) -> bool:
        """Return True if the period is open. Others have no stream."""
        return not self.is_named or any(each.id == self.period for each in definition.periods)

    def definition(self, known: Definitions) -> Definition:
        """Return the board's definition: a plain one if the server has none."""
        if self.board is None:
            return known.boards[0] if known.boards else _PLAIN
        return next((each for each in known.boards if each.id == self.board), _PLAIN)

    @property
    def stream_query(self) -> str:
        """The query of the stream, which goes on with the next period when one ends."""
        return self._query(kind_of(self.period) if self.is_named else self.period)

    @property
    def page_query(self) -> str:
        """The query of the rows of a certain period."""
        return self._query(self.period)

    def _query(self, period: str) -> str:
        values = {"board": self.board, "period": None if period == ALL_TIME else period, "limit": self.limit}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"?{query}" if query else ""
