"""The rows of `boards`: registering the boards of a catalog, and their integer keys."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, ScalarSelect, func, select, text, update

from scoreboard.domain.boards import Board
from scoreboard.domain.definitions import Definition, from_text
from scoreboard.domain.errors import SchemaError
from scoreboard.store.tables import boards

# Two processes may add the same board at the same time.
_ADD_BOARD: Final = text(
    "INSERT INTO boards (id, version, at_us) VALUES (:id, 0, 0) ON CONFLICT (id) DO NOTHING"
)

FOLD: Final = "sum, descending"
"""How this program computes standings: it adds points, and the highest score ranks first."""


def register_boards(connection: Connection, wanted: Sequence[Board]) -> Mapping[str, int]:
    """Add a row for each board that has none. Return the integer keys of all boards.

    Raises SchemaError if a newer program computes the standings of a board in another way.
    """
    known = {row.id: row.fold for row in connection.execute(select(boards.c.id, boards.c.fold))}
    for board in wanted:
        if known.get(board.id, FOLD) != FOLD:
            raise SchemaError(
                f"Board “{board.id}” is kept as “{known[board.id]}” in this database, and this program "
                "knows only "
                f"“{FOLD}”: start the program that created it, or use another board id in the catalog."
            )
    new = [{"id": board.id} for board in wanted if board.id not in known]
    if new:
        connection.execute(_ADD_BOARD, new)
    return board_keys(connection)


def definitions(connection: Connection) -> Mapping[str, Definition]:
    """Return the definition of each board. Raises SchemaError if a newer program has defined one of them."""
    return {
        row.id: _definition(row.id, row.fold)
        for row in connection.execute(select(boards.c.id, boards.c.fold))
    }


def _definition(board: str, text: str) -> Definition:
    try:
        return from_text(text)
    except ValueError:
        raise SchemaError(
            f"Board “{board}” is kept as “{text}” in this database, which this program does not know: "
            "start the program that created it."
        ) from None


def board_keys(connection: Connection) -> Mapping[str, int]:
    """Return the integer keys of all boards."""
    return {row.id: row.key for row in connection.execute(select(boards.c.id, boards.c.key))}


def key_of(board: str) -> ScalarSelect[int]:
    """Return a board's key as an expression. A join would keep a database from the index's order."""
    return select(boards.c.key).where(boards.c.id == board).scalar_subquery()


def write_nothing(connection: Connection) -> None:
    """Change a row and change it back, to check that writes work. (SQLite skips updates without change.)"""
    first = boards.c.key == select(func.min(boards.c.key)).scalar_subquery()
    for step in (1, -1):
        connection.execute(update(boards).where(first).values(at_us=boards.c.at_us + step))
