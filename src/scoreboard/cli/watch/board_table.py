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
from scoreboard.domain.plain_text import printable

MAX_WIDTH: Final = 100
"""In terminal cells. Rows of a wider table are hard to follow."""

LEFT_TO_RIGHT_MARK: Final = "\u200e"

RANK, MARK, NAME, SCORE, CHANGE = "Rank", "", "Name", "Score", "Change"

GAP_WIDTH: Final = 2
"""Cells between two columns: one of padding and one of the box."""

LAYOUTS: Final = (
    {RANK, MARK, NAME, SCORE, CHANGE},
    {RANK, MARK, NAME, SCORE},
    {RANK, NAME, SCORE},
    {NAME, SCORE},
)
"""Sets of columns, for the widest terminal first."""

MIN_NAME_WIDTH: Final = 8


def _columns(rows: Sequence[Mapping[str, Text]], width: int) -> dict[str, int]:
    """Return the columns that fit, and the width of each. Names take the remaining width."""
    widths = {name: max(cell_len(name), *(row[name].cell_len for row in rows)) for name in rows[0]}
    for layout in LAYOUTS:
        chosen = {name: column_width for name, column_width in widths.items() if name in layout}
        left = width - GAP_WIDTH * (len(chosen) - 1) - sum(chosen.values()) + chosen[NAME]
        if left >= MIN_NAME_WIDTH:
            return {**chosen, NAME: left}
    # Too narrow for a score: name and score share the width.
    return {NAME: max(1, (width - GAP_WIDTH) // 2), SCORE: max(1, (width - GAP_WIDTH + 1) // 2)}


def board_table(changes: Sequence[RowChange], width: int, *, is_live: bool) -> Table:
    """Return the rows of a board as a table that fits into a width."""
    rows = [_cells(change) for change in changes]
    columns = _columns(rows, min(width, MAX_WIDTH))
    # A board that is not live is dimmed, so that it does not look like a current one.
    style = "none" if is_live else "dim"
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, style=style)
    for name, column_width in columns.items():
        # A long name is cut and marked. A long score wraps instead: a cut number would be a wrong one.
        overflow: OverflowMethod = "ellipsis" if name == NAME else "fold"
        justify: JustifyMethod = "left" if name in {NAME, MARK} else "right"
        table.add_column(name, width=column_width, no_wrap=name != SCORE, overflow=overflow, justify=justify)
    for row in rows:
        table.add_row(*(row[name] for name in columns), style=style)
    return table


def _cells(change: RowChange) -> Mapping[str, Text]:
    """Return a name as Text: in a string, Rich would interpret markup and emoji codes."""
    row, name = change.row, printable(change.row.name)
    # Without this mark, a terminal with bidirectional text draws the score on the other side of the name.
    mark = (
        LEFT_TO_RIGHT_MARK
        if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in name)
        else ""
    )
    moved = "green" if change.is_new or change.climbed > 0 else "red"
    gained = f"{change.gained:+,}" if change.gained else ""
    return {
        RANK: Text(str(row.rank)),
        MARK: Text(change.marker, moved),
        NAME: one_line(name, "bold" if change.gained or change.is_new else ""),
        SCORE: Text(f"{mark}{row.score:,}"),
        CHANGE: Text(gained, "green" if change.gained > 0 else "red"),
    }


def one_line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
