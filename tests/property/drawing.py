"""Definitions, start times and submissions for the property test of periods."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import hypothesis.strategies as st

from scoreboard.domain.boards import Action, ActionColumn, Board
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort, Ties
from scoreboard.domain.periods import PeriodKind
from tests.plain_board import SECOND_US, begins_us

STARTS: Final = {
    # Days whose midnight does not exist, or comes twice.
    "America/Santiago": ("2026-09-05", "2026-04-03"),
    "Africa/Cairo": ("2026-04-23",),
    "America/Havana": ("2026-03-07", "2026-10-31"),
    "America/St_Johns": ("2006-10-28",),
    # A day that does not exist.
    "Pacific/Apia": ("2011-12-28",),
    # Half an hour that does not exist.
    "Australia/Lord_Howe": ("2026-10-03",),
    # A day, a week and a month begin at one moment.
    "Europe/Berlin": ("2026-05-31", "2026-10-24"),
    # An ISO week begins in one year and ends in the next.
    "UTC": ("2026-12-30",),
}
"""Days shortly before something special, by time zone."""

USERS: Final = ("ada", "bob", "cyd", "dan")

BOARDS: Final = ("main", "side")

users = st.sampled_from(USERS)
boards = st.sampled_from(("main", "main", "side"))
values = st.sampled_from((-1, 0, 1, 2))
_sorts = st.sampled_from(Sort)
_SUMS: Final = (Aggregation.SUM, Aggregation.BEST, Aggregation.LATEST)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Draw a definition with at least one kind of period."""
    aggregation = draw(st.sampled_from(Aggregation))
    keeps_events = aggregation in {Aggregation.BEST, Aggregation.LATEST}
    kinds = draw(st.sets(st.sampled_from(PeriodKind), min_size=1))
    return Definition(
        aggregation,
        draw(_sorts),
        tuple(
            Column(f"c{n}", draw(_sorts), aggregation if keeps_events else draw(st.sampled_from(_SUMS)))
            for n in range(draw(st.sampled_from((0, 0, 1, 2))))
        ),
        draw(st.sampled_from(Ties)),
        tuple(kind for kind in PeriodKind if kind in kinds),
        ZoneInfo(draw(st.sampled_from(sorted(STARTS)))),
    )


@st.composite
def starts(draw: st.DrawFn) -> int:
    """Draw a time shortly before something special in one of the time zones."""
    zone = draw(st.sampled_from(sorted(STARTS)))
    day = date.fromisoformat(draw(st.sampled_from(STARTS[zone])))
    return begins_us(day, ZoneInfo(zone)) + draw(st.sampled_from((0, 12, 23))) * 3_600 * SECOND_US


def board(board_id: str, definition: Definition) -> Board:
    return Board(board_id, board_id.title(), definition, rows=3)


def action(of: Board) -> Action:
    """Return the action of a board. Submissions state its points, unless the board counts them."""
    is_count = of.definition.aggregation is Aggregation.COUNT
    return Action(
        id=of.id,
        board=of.id,
        points=1 if is_count else None,
        title="Score",
        points_range=None if is_count else (-9, 9),
        columns=tuple(ActionColumn(column, None, (-9, 9)) for column in of.column_ids),
    )


@dataclass(frozen=True)
class Try:
    """A submission. `period` is what it names: a kind, and how many days from now; or nothing."""

    user: str
    board: str
    points: int
    columns: tuple[int, int]
    period: tuple[str, int] | None


tries = st.builds(
    Try,
    users,
    boards,
    values,
    st.tuples(values, values),
    st.none() | st.tuples(st.sampled_from(PeriodKind), st.sampled_from((-32, -1, 0, 0, 1))),
)
