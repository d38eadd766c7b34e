"""The actions of a catalog: checks that involve several keys."""

from collections.abc import Mapping, Sequence

from scoreboard.domain.boards import Action, ActionColumn, Board
from scoreboard.domain.definitions import Aggregation
from scoreboard.domain.errors import CatalogError
from scoreboard.domain.periods import PeriodKind
from scoreboard.settings.catalog_boards import check_window, microseconds
from scoreboard.settings.catalog_file import ActionEntry


def make_action(place: str, action_id: str, entry: ActionEntry, boards: Mapping[str, Board]) -> Action:
    """Return an action. `place` is the file and the table. Raises CatalogError."""
    board = boards.get(entry.board)
    if board is None:
        raise CatalogError(f"{place}.board: there is no board “{entry.board}”.")
    check_window(place, entry, "valid_from", "valid_until")
    return Action(
        id=action_id,
        board=board.id,
        points=_points(place, entry, board),
        title=entry.title,
        points_range=_range(f"{place}.points_range", entry.points_range, entry.points, "points"),
        enabled=entry.enabled,
        for_players=entry.by == "player",
        needs_proof=entry.needs_proof,
        cooldown_us=None if entry.cooldown_seconds is None else entry.cooldown_seconds * 1_000_000,
        max_per_day=entry.max_per_day,
        max_total=entry.max_total,
        max_per_period=_max_per_period(place, entry, board),
        valid_from_us=microseconds(entry.valid_from),
        valid_until_us=microseconds(entry.valid_until),
        requires=entry.requires,
        timezone=board.timezone,
        columns=_columns(place, entry, board),
    )


def _points(place: str, entry: ActionEntry, board: Board) -> int | None:
    match board.definition.aggregation:
        case Aggregation.COUNT:
            for key in ("points", "points_range"):
                if getattr(entry, key) is not None:
                    raise CatalogError(f"{place}.{key}: remove it: on a board with “count”, each event is 1.")
            return 1
        case Aggregation.SUM:
            if entry.points is None:
                raise CatalogError(f"{place}.points: required on a board with “sum”.")
            if entry.points < 1:
                raise CatalogError(f"{place}.points: must be 1 or more on a board with “sum”.")
        case Aggregation.BEST | Aggregation.LATEST:
            if entry.points is None and entry.points_range is None:
                raise CatalogError(f"{place}.points_range: required without points: submissions state them.")
    return entry.points


def _max_per_period(place: str, entry: ActionEntry, board: Board) -> Mapping[PeriodKind, int]:
    limits = {PeriodKind(kind): count for kind, count in entry.max_per_period.items()}
    for kind in limits.keys() - board.definition.periods:
        raise CatalogError(
            f"{place}.max_per_period.{kind}: the board “{board.id}” has no such period: name one of its "
            "periods, or add this one to them."
        )
    return limits


def _columns(place: str, entry: ActionEntry, board: Board) -> tuple[ActionColumn, ...]:
    ids = [column.id for column in board.definition.columns]
    for key in ("columns", "columns_range"):
        for unknown in getattr(entry, key).keys() - ids:
            raise CatalogError(f"{place}.{key}.{unknown}: the board “{board.id}” has no such column.")
    columns: list[ActionColumn] = []
    for column in ids:
        value, limits = entry.columns.get(column), entry.columns_range.get(column)
        if value is None and limits is None:
            raise CatalogError(
                f"{place}.columns.{column}: required: the board “{board.id}” has this column. Set a value "
                "here or a range in columns_range."
            )
        checked = _range(f"{place}.columns_range.{column}", limits, value, "the value in columns")
        columns.append(ActionColumn(column, value, checked))
    return tuple(columns)


def _range(place: str, limits: Sequence[int] | None, value: int | None, name: str) -> tuple[int, int] | None:
    """Return a range that contains a value, if there is one. Raises CatalogError."""
    if limits is None:
        return None
    least, most = limits
    if value is None:
        if least > most:
            raise CatalogError(f"{place}: must be [least, most].")
    elif not least <= value <= most:
        raise CatalogError(f"{place}: must be [least, most], with {name} between them.")
    return least, most
