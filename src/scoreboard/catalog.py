"""catalog.toml → boards and actions. Points live here, and nowhere in a request."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from scoreboard.errors import CatalogError, UnknownAction, UnknownBoard
from scoreboard.model import MAX_SCORE, Action, Board
from scoreboard.text import check_id, check_text

Id = Annotated[str, AfterValidator(check_id)]
Title = Annotated[str, AfterValidator(check_text)]

NOT_YET: Final = ("cooldown_seconds", "max_per_day", "max_total", "by")
"""Rules that have their place in the schema. This version does not enforce them, so it does not take them either."""


class BoardEntry(BaseModel):
    """`[boards.ID]`"""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Title


class ActionEntry(BaseModel):
    """`[actions.ID]`"""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    board: Id
    points: Annotated[int, Field(ge=1, le=MAX_SCORE)]
    title: Title
    cooldown_seconds: Annotated[int, Field(ge=1)] | None = None
    max_per_day: Annotated[int, Field(ge=1)] | None = None
    max_total: Annotated[int, Field(ge=1)] | None = None
    by: Literal["player", "server"] | None = None


class CatalogFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    boards: Annotated[dict[Id, BoardEntry], Field(min_length=1)]
    actions: Annotated[dict[Id, ActionEntry], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The boards, in the order of the file, and the actions that count on them."""

    boards: dict[str, Board]
    actions: dict[str, Action]

    def board(self, board_id: str | None) -> Board:
        """The board of that id; without one, the first. Raises UnknownBoard."""
        if board_id is None:
            return next(iter(self.boards.values()))
        try:
            return self.boards[board_id]
        except KeyError:
            raise UnknownBoard(board_id) from None

    def action(self, action_id: str) -> Action:
        """The action of that id. Raises UnknownAction."""
        try:
            return self.actions[action_id]
        except KeyError:
            raise UnknownAction(action_id) from None


def load_catalog(path: Path | None) -> Catalog:
    """Read a catalog; without a path, the one that comes with the program.

    Raises CatalogError, which names the file and the key that the mistake stands at.
    """
    shipped = files("scoreboard").joinpath("catalog.toml")
    place = "the shipped catalog" if path is None else str(path)
    try:
        text = (shipped if path is None else path).read_text(encoding="utf-8")
        parsed = CatalogFile.model_validate(tomllib.loads(text))
    except OSError as error:
        raise CatalogError(f"{place}: cannot be read ({error.strerror}); set SCOREBOARD_CATALOG to a file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{place}: not TOML: {error}") from error
    except ValidationError as error:
        raise CatalogError(f"{place}: {_mistakes(error)}") from error
    for action_id, entry in parsed.actions.items():
        key = f"actions.{action_id}"
        if entry.board not in parsed.boards:
            raise CatalogError(f"{place}: {key}.board: there is no board “{entry.board}”.")
        for rule in NOT_YET:
            if getattr(entry, rule) is not None:
                raise CatalogError(f"{place}: {key}.{rule}: this version does not enforce this rule yet; remove it.")
    return Catalog(
        boards={board_id: Board(board_id, entry.title) for board_id, entry in parsed.boards.items()},
        actions={
            action_id: Action(action_id, entry.board, entry.points, entry.title)
            for action_id, entry in parsed.actions.items()
        },
    )


def _mistakes(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in mistake['loc'] if part != '[key]') or 'the file'}: {mistake['msg']}"
        for mistake in error.errors(include_url=False, include_context=False)
    )
