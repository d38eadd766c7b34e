"""Parsing of `catalog.toml`: the boards, and the actions with their points."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from scoreboard.domain.boards import MAX_SCORE, Action, Board
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import CatalogError, UnknownAction, UnknownBoard
from scoreboard.domain.plain_text import check_id, check_text
from scoreboard.settings.file_permissions import check_writers

Id = Annotated[str, AfterValidator(check_id)]
Title = Annotated[str, AfterValidator(check_text)]

MAX_SECONDS: Final = 315_360_000
"""Ten years: far below the limits of the databases' integers."""

PointsRange = Annotated[
    list[Annotated[int, Field(ge=-MAX_SCORE, le=MAX_SCORE)]], Field(min_length=2, max_length=2)
]


class BoardEntry(BaseModel):
    """`[boards.ID]`"""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    title: Title
    """The displayed name."""
    timezone: str = "UTC"
    """The time zone of its days, such as `Europe/Berlin`."""


class ActionEntry(BaseModel):
    """`[actions.ID]`"""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    board: Id
    """The board that gets the points."""
    points: Annotated[int, Field(ge=1, le=MAX_SCORE)]
    """The points of the action."""
    title: Title
    """The displayed name."""
    points_range: PointsRange | None = None
    """`[least, most]`: a trusted server may send `points` in this range. Else `points_out_of_range`; from a
    player `points_not_yours`."""
    by: Literal["player", "server"] = "player"
    """`"server"`: only a token with `scores:write:any` may submit it. Else `action_by_server`."""
    needs_proof: bool = False
    """If `true`, a player needs a trusted server's proof. Else `proof_required`."""
    enabled: bool = True
    """`false` refuses it: `action_disabled`."""
    valid_from: datetime | None = None
    """The time from which it counts, with offset: `2026-12-24T18:00:00+01:00`. Before: `action_not_yet`."""
    valid_until: datetime | None = None
    """The time from which it no longer counts: `action_over`."""
    requires: Id | None = None
    """Another action, on any board, that the player must have completed before. Else `action_requires`."""
    cooldown_seconds: Annotated[int, Field(ge=1, le=MAX_SECONDS)] | None = None
    """The time from one use by a player to the next. Before: `action_cooling_down`."""
    max_per_day: Annotated[int, Field(ge=1, le=MAX_SCORE)] | None = None
    """How often it counts for a player in a day of the board's time zone. Then `action_used_up_today`."""
    max_total: Annotated[int, Field(ge=1, le=MAX_SCORE)] | None = None
    """How often it counts for a player in all. Then `action_used_up`."""


class CatalogFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    boards: Annotated[dict[Id, BoardEntry], Field(min_length=1)]
    actions: Annotated[dict[Id, ActionEntry], Field(min_length=1)]


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
    boards = {board_id: _board(source, board_id, entry) for board_id, entry in parsed.boards.items()}
    for action_id, entry in parsed.actions.items():
        _check_action(f"{source}: actions.{action_id}", entry, parsed)
        _check_required(f"{source}: actions.{action_id}.requires", action_id, parsed)
    return Catalog(
        boards=boards,
        actions={
            action_id: _action(action_id, entry, boards[entry.board])
            for action_id, entry in parsed.actions.items()
        },
    )


def _board(source: str, board_id: str, entry: BoardEntry) -> Board:
    try:
        return Board(board_id, entry.title, Definition(timezone=ZoneInfo(entry.timezone)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError for the name of a region, which is a folder of zones.
        raise CatalogError(
            f"{source}: boards.{board_id}.timezone: “{entry.timezone}” is not a time zone such as "
            "Europe/Berlin."
        ) from None


def _check_action(source: str, entry: ActionEntry, parsed: CatalogFile) -> None:
    if entry.board not in parsed.boards:
        raise CatalogError(f"{source}.board: there is no board “{entry.board}”.")
    for name in ("valid_from", "valid_until"):
        moment = getattr(entry, name)
        if moment is not None and moment.tzinfo is None:
            raise CatalogError(f"{source}.{name}: must have an offset, as 2026-12-24T18:00:00+01:00.")
    if (
        entry.valid_from is not None
        and entry.valid_until is not None
        and entry.valid_from >= entry.valid_until
    ):
        raise CatalogError(f"{source}.valid_until: must be after valid_from.")
    if entry.points_range is not None:
        least, most = entry.points_range
        if not least <= entry.points <= most:
            raise CatalogError(f"{source}.points_range: must be [least, most], with points between them.")


def _check_required(source: str, action_id: str, parsed: CatalogFile) -> None:
    """Follow `requires` from action to action. A cycle could never be completed."""
    path = [action_id]
    while (required := parsed.actions[path[-1]].requires) is not None:
        if required not in parsed.actions:
            raise CatalogError(f"{source}: “{path[-1]}” requires “{required}”, which is not an action.")
        if required in path:
            raise CatalogError(f"{source}: can never be met: {' requires '.join([*path, required])}.")
        path.append(required)


def _action(action_id: str, entry: ActionEntry, board: Board) -> Action:
    return Action(
        id=action_id,
        board=board.id,
        points=entry.points,
        title=entry.title,
        points_range=None if entry.points_range is None else (entry.points_range[0], entry.points_range[1]),
        enabled=entry.enabled,
        for_players=entry.by == "player",
        needs_proof=entry.needs_proof,
        cooldown_us=None if entry.cooldown_seconds is None else entry.cooldown_seconds * 1_000_000,
        max_per_day=entry.max_per_day,
        max_total=entry.max_total,
        valid_from_us=_us(entry.valid_from),
        valid_until_us=_us(entry.valid_until),
        requires=entry.requires,
        timezone=board.timezone,
    )


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1_000_000)


def _mistakes(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in mistake['loc'] if part != '[key]') or 'the file'}: {mistake['msg']}"
        for mistake in error.errors(include_url=False, include_context=False)
    )
