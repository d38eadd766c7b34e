"""Tables in the terminal."""

from collections.abc import Sequence
from typing import Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDEST: Final = 10_000
"""Terminal cells, more than any table has."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to a wide terminal, a line per field to a narrow one, tab-separated lines to a pipe."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    if not rows:
        console.print("None.")
        return
    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))
    # Rich cuts text to the width of its column, and measures only the text that fits.
    if console.measure(table, options=console.options.update_width(WIDEST)).minimum <= console.width:
        console.print(table)
        return
    for row in rows:
        console.print()
        for name, value in zip(columns, row, strict=True):
            if value:
                console.print(Text(f"{name}: {value}" if name else value, overflow="fold"))
