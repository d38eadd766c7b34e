"""Definitions of boards: how events combine into scores, and how scores rank."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from scoreboard.domain.periods import PeriodKind

MAX_COLUMNS: Final = 2
"""Columns besides the score. Each one makes every row of every index larger."""

COLUMN_ID: Final = r"^[a-z][a-z0-9_-]{0,31}$"
"""The form of a column's id, which has none of the separators of `to_text`."""

MAX_DECIMALS: Final = 9
"""A score has at most 16 digits."""


class Aggregation(StrEnum):
    """How the values of a player's events combine."""

    SUM = "sum"
    BEST = "best"
    """The value that ranks first."""
    LATEST = "latest"
    COUNT = "count"
    """The number of events."""


class Sort(StrEnum):
    """Which values rank first."""

    DESCENDING = "descending"
    ASCENDING = "ascending"


class Ties(StrEnum):
    """Who ranks first among players with equal values."""

    EARLIEST = "earliest"
    """The player who reached them first."""
    LATEST = "latest"
    """The player who reached them last."""
    SHARED = "shared"
    """All of them have the same rank, and the next rank is skipped: 1, 2, 2, 4."""


@dataclass(frozen=True, slots=True)
class Column:
    """A second or third value of a standing, which ranks players whose scores are equal.

    On boards that keep whole events (`Definition.keeps_events`), `aggregation` is that of the board.
    `decimals` are for the display.
    """

    id: str
    sort: Sort
    aggregation: Aggregation
    decimals: int = field(default=0, compare=False)


UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Definition:
    """How the events of a board become standings. It cannot change once the board has an event.

    The standings of `periods` restart at midnight in `timezone`. Each board also has standings of all time.
    """

    aggregation: Aggregation = Aggregation.SUM
    sort: Sort = Sort.DESCENDING
    columns: tuple[Column, ...] = ()
    ties: Ties = Ties.EARLIEST
    periods: tuple[PeriodKind, ...] = ()
    timezone: ZoneInfo = UTC

    @property
    def keeps_events(self) -> bool:
        """True if a standing has the values of one event, and not a combination of several."""
        return self.aggregation in {Aggregation.BEST, Aggregation.LATEST}

    @property
    def is_additive(self) -> bool:
        """True if standings are totals, from which an event is subtracted if it becomes void.

        On other boards, the events that still count are combined again.
        """
        return self.aggregation in {Aggregation.SUM, Aggregation.COUNT} and not self.columns

    @property
    def is_adjustable(self) -> bool:
        """True if an administrator can add points without changing what the columns mean."""
        aggregations = {self.aggregation, *(column.aggregation for column in self.columns)}
        return aggregations <= {Aggregation.SUM, Aggregation.COUNT}

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """The sort of the score and of each column."""
        return (self.sort, *(column.sort for column in self.columns))


SUM_DESCENDING: Final = Definition()
"""The default: points are added up, and the highest score ranks first."""


def to_text(definition: Definition) -> str:
    """Return the text that a store keeps for a board, such as `best, ascending; ties: shared`.

    Keys with their defaults are left out, and the time zone of a board without periods. A program that does
    not know a text refuses the board.
    """
    parts = [f"{definition.aggregation}, {definition.sort}"]
    if definition.columns:
        columns = (f"{column.id} {column.aggregation} {column.sort}" for column in definition.columns)
        parts.append(f"columns: {', '.join(columns)}")
    if definition.ties is not Ties.EARLIEST:
        parts.append(f"ties: {definition.ties}")
    if definition.periods:
        parts += [f"periods: {', '.join(definition.periods)}", f"timezone: {definition.timezone}"]
    return "; ".join(parts)


def from_text(text: str) -> Definition:
    """Return the definition of a text of `to_text`. Raises ValueError if this program does not know it."""
    first, *others = text.split("; ")
    aggregation, sort = first.split(", ")
    values = dict(other.split(": ") for other in others)
    if unknown := values.keys() - {"columns", "ties", "periods", "timezone"}:
        raise ValueError(f"“{min(unknown)}” is not a key of a definition")
    columns = (column.split(" ") for column in values.get("columns", "").split(", ") if column)
    return Definition(
        aggregation=Aggregation(aggregation),
        sort=Sort(sort),
        columns=tuple(Column(name, Sort(order), Aggregation(kind)) for name, kind, order in columns),
        ties=Ties(values.get("ties", Ties.EARLIEST)),
        periods=tuple(PeriodKind(kind) for kind in values.get("periods", "").split(", ") if kind),
        timezone=ZoneInfo(values.get("timezone", "UTC")),
    )


def changed_keys(kept: Definition, wanted: Definition) -> tuple[str, ...]:
    """Return the keys of the catalog in which two definitions differ. The time zone matters only with
    periods.
    """
    return tuple(
        name
        for name in ("aggregation", "sort", "columns", "ties", "periods", "timezone")
        if getattr(kept, name) != getattr(wanted, name) and (name != "timezone" or kept.periods)
    )
