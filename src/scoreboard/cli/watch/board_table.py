"""A board as a table for a terminal of any width: scores are always whole, and names are cut with a sign."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import JustifyMethod, OverflowMethod
from rich.table import Table
from rich.text import Text

from scoreboard.cli.watch.row_changes import RowChange
from scoreboard.cli.watch.schemas import Definition, score_text
from scoreboard.domain.plain_text import printable

MAX_WIDTH: Final = 100
"""In terminal cells. Rows of a wider table are hard to follow."""

LEFT_TO_RIGHT_MARK: Final = "\u200e"

RANK, MARK, NAME, SCORE, CHANGE = "Rank", "", "Name", "Score", "Change"

COLUMN: Final = "column "
"""The beginning of the names of the board's own columns."""

GAP_WIDTH: Final = 2
"""Cells between two columns: one of padding and one of the box."""

LAYOUTS: Final = (
    {RANK, MARK, NAME, SCORE, COLUMN, CHANGE},
    {RANK, MARK, NAME, SCORE, CHANGE},
    {RANK, MARK, NAME, SCORE},
    {RANK, NAME, SCORE},
    {NAME, SCORE},
)
"""Sets of columns, for the widest terminal first."""

MIN_NAME_WIDTH: Final = 8


def _columns(rows: Sequence[Mapping[str, Text]], headings: Mapping[str, str], width: int) -> dict[str, int]:
    """Return the columns that fit, and the width of each. Names take the remaining width."""
    widths = {
        name: max(cell_len(heading), *(row[name].cell_len for row in rows))
        for name, heading in headings.items()
    }
    for layout in LAYOUTS:
        chosen = {
            name: column_width
            for name, column_width in widths.items()
            if (COLUMN if name.startswith(COLUMN) else name) in layout
        }
        left = width - GAP_WIDTH * (len(chosen) - 1) - sum(chosen.values()) + chosen[NAME]
        if left >= MIN_NAME_WIDTH:
            return {**chosen, NAME: left}
    # Too narrow for a score: name and score share the width.
    return {NAME: max(1, (width - GAP_WIDTH) // 2), SCORE: max(1, (width - GAP_WIDTH + 1) // 2)}


def _headings(definition: Definition) -> Mapping[str, str]:
    """Return the headings of all columns, in their order."""
    unit = f" ({printable(definition.unit)})" if definition.unit else ""
    columns = {COLUMN + column.id: printable(column.id).capitalize() for column in definition.columns}
    return {RANK: RANK, MARK: MARK, NAME: NAME, SCORE: SCORE + unit, **columns, CHANGE: CHANGE}


def board_table(changes: Sequence[RowChange], definition: Definition, width: int, *, is_live: bool) -> Table:
    """Return the rows of a board as a table that fits into a width."""
    rows = [_cells(change, definition) for change in changes]
    headings = _headings(definition)
    columns = _columns(rows, headings, min(width, MAX_WIDTH))
    # A board that is not live is dimmed, so that it does not look like a current one.
    style = "none" if is_live else "dim"
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, style=style)
    for name, column_width in columns.items():
        # A long name is cut and marked. A long score wraps instead: a cut number would be a wrong one.
        overflow: OverflowMethod = "ellipsis" if name == NAME else "fold"
        justify: JustifyMethod = "left" if name in {NAME, MARK} else "right"
        table.add_column(
            one_line(headings[name]),
            width=column_width,
            no_wrap=name != SCORE,
            overflow=overflow,
            justify=justify,
        )
    for row in rows:
        table.add_row(*(row[name] for name in columns), style=style)
    return table


def _cells(change: RowChange, definition: Definition) -> Mapping[str, Text]:
    """Return a name as Text: in a string, Rich would interpret markup and emoji codes."""
    row, name = change.row, printable(change.row.name)
    # Without this mark, a terminal with bidirectional text draws the score on the other side of the name.
    mark = (
        LEFT_TO_RIGHT_MARK
        if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in name)
        else ""
    )
    moved = "green" if change.is_new or change.climbed > 0 else "red"
    gained = change.gained
    change_text = score_text(gained, definition.decimals, is_grouped=True, is_signed=True) if gained else ""
    return {
        RANK: Text(str(row.rank)),
        MARK: Text(change.marker, moved),
        NAME: one_line(name, "bold" if gained or change.is_new else ""),
        SCORE: Text(mark + score_text(row.score, definition.decimals, is_grouped=True)),
        **{
            COLUMN + column.id: Text(score_text(row.columns[column.id], column.decimals, is_grouped=True))
            if column.id in row.columns
            else Text()
            for column in definition.columns
        },
        CHANGE: Text(change_text, "green" if definition.is_better(gained) else "red"),
    }


def one_line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
