"""The boards of a catalog: checks that involve several keys, and their definitions."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scoreboard.domain.boards import Board
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort, Ties
from scoreboard.domain.errors import CatalogError
from scoreboard.domain.periods import PeriodKind
from scoreboard.settings.catalog_file import BoardEntry, ColumnEntry


def make_board(place: str, board_id: str, entry: BoardEntry) -> Board:
    """Return a board. `place` is the file and the table. Raises CatalogError."""
    definition = Definition(
        aggregation=Aggregation(entry.aggregation),
        sort=Sort(entry.sort),
        columns=tuple(
            _column(f"{place}.columns.{index}", entry, column) for index, column in enumerate(entry.columns)
        ),
        ties=Ties(entry.ties),
        # In a fixed order, so that the order in the file is no change of the definition.
        periods=tuple(kind for kind in PeriodKind if kind in entry.periods),
        timezone=_timezone(f"{place}.timezone", entry.timezone),
    )
    if len({column.id for column in entry.columns}) < len(entry.columns):
        raise CatalogError(f"{place}.columns: two columns have the id “{entry.columns[0].id}”.")
    if len(definition.periods) < len(entry.periods):
        raise CatalogError(f"{place}.periods: name each period once.")
    check_window(place, entry, "opens_at", "closes_at")
    return Board(
        id=board_id,
        title=entry.title,
        definition=definition,
        decimals=entry.decimals,
        unit=entry.unit,
        rows=entry.rows,
        opens_at_us=microseconds(entry.opens_at),
        closes_at_us=microseconds(entry.closes_at),
    )


def _column(place: str, board: BoardEntry, entry: ColumnEntry) -> Column:
    if entry.id == "score":
        raise CatalogError(f"{place}.id: “score” is the name of the score: choose another id.")
    keeps_events = board.aggregation in {"best", "latest"}
    if keeps_events and entry.aggregation is not None:
        raise CatalogError(
            f"{place}.aggregation: remove it: a board with “{board.aggregation}” keeps the columns of the "
            "event whose score it keeps."
        )
    if not keeps_events and entry.aggregation is None:
        raise CatalogError(f"{place}.aggregation: required on a board with “{board.aggregation}”.")
    return Column(
        id=entry.id,
        sort=Sort(entry.sort),
        aggregation=Aggregation(entry.aggregation or board.aggregation),
        decimals=entry.decimals,
    )


def _timezone(place: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError for the name of a region, which is a folder of zones.
        raise CatalogError(f"{place}: “{name}” is not a time zone such as Europe/Berlin.") from None


def check_window(place: str, entry: object, begin: str, end: str) -> None:
    """Check the two keys of an entry that limit a time. Raises CatalogError."""
    moments: list[datetime] = []
    for name in (begin, end):
        moment = getattr(entry, name)
        if moment is not None and moment.tzinfo is None:
            raise CatalogError(f"{place}.{name}: must have an offset, as 2026-12-24T18:00:00+01:00.")
        if moment is not None:
            moments.append(moment)
    if len(moments) == 2 and moments[0] >= moments[1]:
        raise CatalogError(f"{place}.{end}: must be after {begin}.")


def microseconds(moment: datetime | None) -> int | None:
    """Return a time in microseconds since the Unix epoch."""
    return None if moment is None else round(moment.timestamp() * 1_000_000)
