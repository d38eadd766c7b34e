"""The rows of `boards`: registering the boards of a catalog, and their integer keys."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, ScalarSelect, func, select, text, update

from scoreboard.domain.boards import Board
from scoreboard.domain.definitions import Definition, changed_keys, from_text, to_text
from scoreboard.domain.errors import SchemaError
from scoreboard.store.tables import boards

# Two processes may add the same board at the same time.
_ADD_BOARD: Final = text(
    "INSERT INTO boards (id, version, at_us, fold) VALUES (:id, 0, 0, :fold) ON CONFLICT (id) DO NOTHING"
)
_REDEFINE_BOARD: Final = text("UPDATE boards SET fold = :fold WHERE id = :id AND version = 0")


def register_boards(connection: Connection, wanted: Sequence[Board]) -> Mapping[str, int]:
    """Add a row for each board that has none. Return the integer keys of all boards.

    Raises SchemaError if this program does not know the definition of a board, or if the catalog changes the
    definition of a board that has an event.
    """
    if rows := _write_definitions(connection, wanted):
        # Another process may have added the same boards, with other definitions or with events.
        check_definitions(connection, {board.id: board.definition for board in wanted if board.id in rows})
    return board_keys(connection)


def _write_definitions(connection: Connection, wanted: Sequence[Board]) -> Collection[str]:
    """Add rows, and change those without events. Return the ids of these boards."""
    found = connection.execute(select(boards.c.id, boards.c.fold, boards.c.version))
    known = {row.id: row for row in found}
    new, changed = {}, {}
    for board in wanted:
        row = {"id": board.id, "fold": to_text(board.definition)}
        if board.id not in known:
            new[board.id] = row
        elif keys := changed_keys(_definition(board.id, known[board.id].fold), board.definition):
            if known[board.id].version:
                raise _unchangeable(board.id, keys)
            changed[board.id] = row
    if new:
        connection.execute(_ADD_BOARD, [*new.values()])
    if changed:
        connection.execute(_REDEFINE_BOARD, [*changed.values()])
    return {*new, *changed}


def check_definitions(connection: Connection, used: Mapping[str, Definition]) -> None:
    """Raise SchemaError if a board has another definition than the one that this process uses."""
    for board, definition in definitions(connection).items():
        if board in used and (keys := changed_keys(definition, used[board])):
            raise _unchangeable(board, keys)


def _unchangeable(board: str, keys: Sequence[str]) -> SchemaError:
    names = " and ".join(f"`{key}`" for key in keys)
    return SchemaError(
        f"Board “{board}”: the catalog changes {names}, which cannot change once a board has an event. "
        "Restore the earlier definition, or use another board id."
    )


def definitions(connection: Connection) -> Mapping[str, Definition]:
    """Return the definition of each board. Raises SchemaError if this program does not know one of them."""
    return {
        row.id: _definition(row.id, row.fold)
        for row in connection.execute(select(boards.c.id, boards.c.fold))
    }


def definition_of(connection: Connection, board: str) -> Definition:
    """Return the definition of a board. Raises SchemaError if this program does not know it."""
    return _definition(board, connection.scalar(select(boards.c.fold).where(boards.c.id == board)) or "")


@lru_cache
def _definition(board: str, text: str) -> Definition:
    try:
        return from_text(text)
    except (ValueError, LookupError):
        raise SchemaError(
            f"Board “{board}” is kept as “{text}” in this database, which this program does not know: "
            "start the program that created it, or use another board id in the catalog."
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
