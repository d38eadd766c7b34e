"""What a stream shows."""

from typing import NamedTuple

from scoreboard.domain.boards import ALL_TIME


class StreamView(NamedTuple):
    """The rows that a stream shows: the first `rows` of a board in a period.

    The period is `all`, or a kind for the period that is open. By default, the rows are those of the board.
    """

    board: str
    period: str = ALL_TIME
    rows: int | None = None
