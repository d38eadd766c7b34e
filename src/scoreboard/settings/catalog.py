"""Parsing of `catalog.toml`: the boards, and the actions with their points."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from scoreboard.domain.boards import Action, Board
from scoreboard.domain.errors import CatalogError, UnknownAction, UnknownBoard
from scoreboard.settings.catalog_actions import make_action
from scoreboard.settings.catalog_boards import make_board
from scoreboard.settings.catalog_file import CatalogFile
from scoreboard.settings.file_permissions import check_writers


@dataclass(frozen=True, slots=True)
class Catalog:
    """The boards in the order of the file, and the actions."""

    boards: dict[str, Board]
    actions: dict[str, Action]

    def board(self, board_id: str | None) -> Board:
        """Return the board of an id, or the first board. Raises UnknownBoard."""
        if board_id is None:
            return next(iter(self.boards.values()))
        try:
            return self.boards[board_id]
        except KeyError:
            raise UnknownBoard(board_id) from None

    def action(self, action_id: str) -> Action:
        """Return the action of an id. Raises UnknownAction."""
        try:
            return self.actions[action_id]
        except KeyError:
            raise UnknownAction(action_id) from None


def load_catalog(path: Path | None) -> Catalog:
    """Read a catalog. Without a path, read the one that is shipped with the program.

    Raises CatalogError, which names the file and the key.
    """
    shipped = files("scoreboard.settings").joinpath("catalog.toml")
    source = "the shipped catalog" if path is None else str(path)
    try:
        if path is not None:
            check_writers(path, "the catalog")
        text = (shipped if path is None else path).read_text(encoding="utf-8-sig")
        parsed = CatalogFile.model_validate(tomllib.loads(text))
    except OSError as error:
        raise CatalogError(
            f"{source}: cannot be read ({error.strerror}); set SCOREBOARD_CATALOG to a file."
        ) from error
    except ValidationError as error:
        raise CatalogError(f"{source}: {_mistakes(error)}") from error
    except (ValueError, RecursionError) as error:
        # Too many digits, or too deep nesting.
        raise CatalogError(f"{source}: not TOML: {error}") from error
    boards = {
        board_id: make_board(f"{source}: boards.{board_id}", board_id, entry)
        for board_id, entry in parsed.boards.items()
    }
    actions = {
        action_id: make_action(f"{source}: actions.{action_id}", action_id, entry, boards)
        for action_id, entry in parsed.actions.items()
    }
    for action_id in actions:
        _check_required(f"{source}: actions.{action_id}.requires", action_id, parsed)
    return Catalog(boards, actions)


def _check_required(source: str, action_id: str, parsed: CatalogFile) -> None:
    """Follow `requires` from action to action. A cycle could never be completed."""
    path = [action_id]
    while (required := parsed.actions[path[-1]].requires) is not None:
        if required not in parsed.actions:
            raise CatalogError(f"{source}: “{path[-1]}” requires “{required}”, which is not an action.")
        if required in path:
            raise CatalogError(f"{source}: can never be met: {' requires '.join([*path, required])}.")
        path.append(required)


def _mistakes(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in mistake['loc'] if part != '[key]') or 'the file'}: {mistake['msg']}"
        for mistake in error.errors(include_url=False, include_context=False)
    )
