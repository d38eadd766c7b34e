"""The keys of `catalog.toml`, with their types and limits."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scoreboard.domain.boards import DEFAULT_ROWS, MAX_SCORE
from scoreboard.domain.definitions import COLUMN_ID, MAX_COLUMNS, MAX_DECIMALS
from scoreboard.domain.plain_text import check_id, check_text

MAX_SECONDS: Final = 315_360_000
"""Ten years: far below the limits of the databases' integers."""

MAX_ROWS: Final = 100
"""Rows of a page or a stream."""

MAX_UNIT: Final = 16
"""Characters of a unit, which is shown next to each score."""

Id = Annotated[str, AfterValidator(check_id)]
Title = Annotated[str, AfterValidator(check_text)]
Score = Annotated[int, Field(ge=-MAX_SCORE, le=MAX_SCORE)]
Range = Annotated[list[Score], Field(min_length=2, max_length=2)]
Decimals = Annotated[int, Field(ge=0, le=MAX_DECIMALS)]
SortName = Literal["descending", "ascending"]
PeriodName = Literal["day", "week", "month"]
AggregationName = Literal["sum", "best", "latest", "count"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class ColumnEntry(_Entry):
    """One of `columns` in `[boards.ID]`."""

    id: Annotated[str, Field(pattern=COLUMN_ID)]
    """The name in requests and responses: a small letter, then up to 31 of `a-z`, `0-9`, `_` and
    `-`. Not `score`."""
    sort: SortName = "descending"
    """Whether the highest or the lowest value ranks first."""
    aggregation: AggregationName | None = None
    """As for the board. Required on boards with `sum` and `count`. Boards with `best` and `latest` keep the
    columns of the event whose score they keep."""
    decimals: Decimals = 0
    """As for the board."""


class BoardEntry(_Entry):
    """`[boards.ID]`"""

    title: Title
    """The displayed name."""
    aggregation: AggregationName = "sum"
    """How the points of a player's submissions become the score: `sum`, `best` (those that rank first),
    `latest`, or `count` (the number of submissions)."""
    sort: SortName = "descending"
    """Whether the highest or the lowest score ranks first."""
    columns: Annotated[tuple[ColumnEntry, ...], Field(max_length=MAX_COLUMNS, strict=False)] = ()
    """Up to two values that rank players whose scores are equal, such as `[{ id = "time", sort = "ascending"
    }]`."""
    ties: Literal["earliest", "latest", "shared"] = "earliest"
    """The order of players with equal values: the one who reached them first is first (`earliest`), or the
    one who reached them last (`latest`). With `shared` they have the same rank: 1, 2, 2, 4."""
    periods: Annotated[tuple[PeriodName, ...], Field(strict=False)] = ()
    """Standings that restart, next to those of all time: `["day", "week", "month"]`. They restart at midnight
    in `timezone`; weeks begin on Monday."""
    timezone: str = "UTC"
    """The time zone of its days and periods, such as `Europe/Berlin`."""
    decimals: Decimals = 0
    """For the display: how many digits of a score are decimals. With 3, 61250 is shown as 61.250."""
    unit: Annotated[str, Field(min_length=1, max_length=MAX_UNIT), AfterValidator(check_text)] | None = None
    """For the display: the unit of the scores, such as `s`."""
    rows: Annotated[int, Field(ge=1, le=MAX_ROWS)] = DEFAULT_ROWS
    """The rows of its stream, and of a page by default."""
    opens_at: datetime | None = None
    """The time from which it accepts submissions, with offset. Before: `board_not_open`."""
    closes_at: datetime | None = None
    """The time from which it no longer accepts submissions: `board_closed`."""


class ActionEntry(_Entry):
    """`[actions.ID]`"""

    board: Id
    """The board that gets the points."""
    points: Score | None = None
    """The points of the action. Required on boards with `sum`, from 1. On boards with `best` and `latest`,
    each submission of an action without `points` states them. Not allowed on boards with `count`."""
    title: Title
    """The displayed name."""
    points_range: Range | None = None
    """`[least, most]`: a trusted server may send `points` in this range. Else `points_out_of_range`; from a
    player `points_not_yours`. Required without `points`."""
    columns: dict[str, Score] = {}  # Pydantic copies it.
    """The action's values for columns of the board, such as `{ time = 0 }`."""
    columns_range: dict[str, Range] = {}
    """The ranges in which a trusted server may send values of columns, such as `{ time = [0, 3600] }`. Each
    column of the board is in `columns`, or here, or both."""
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
    max_per_period: dict[PeriodName, Annotated[int, Field(ge=1, le=MAX_SCORE)]] = {}
    """How often it counts for a player in a period of its board: `{ week = 3, month = 10 }`. The count
    restarts with the period. Then `action_used_up_period`."""
    max_total: Annotated[int, Field(ge=1, le=MAX_SCORE)] | None = None
    """How often it counts for a player in all. Then `action_used_up`."""


class CatalogFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    boards: Annotated[dict[Id, BoardEntry], Field(min_length=1)]
    actions: Annotated[dict[Id, ActionEntry], Field(min_length=1)]
