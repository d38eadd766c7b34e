"""Schemas of GET /api/boards."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from scoreboard.domain.definitions import Aggregation, Sort, Ties
from scoreboard.domain.periods import PeriodKind
from scoreboard.web.schemas.fields import Schema


class ColumnResponse(Schema):
    """A value that ranks players whose scores are equal."""

    id: str
    sort: Sort
    aggregation: Aggregation
    decimals: int


class OpenPeriodResponse(Schema):
    """The period of its kind that is open. It ends with the first event after `endsAt`, within a second."""

    kind: PeriodKind
    id: str
    begins_at: datetime
    ends_at: datetime


class BoardResponse(Schema):
    """A board of the catalog (docs/api-specification.md has the meaning of each key)."""

    id: str
    title: str
    aggregation: Aggregation
    sort: Sort
    ties: Ties
    columns: list[ColumnResponse]
    decimals: Annotated[int, Field(description="How many digits of a score are decimals, for the display.")]
    unit: Annotated[str | None, Field(description="The unit of the scores, for the display.")]
    rows: Annotated[int, Field(description="The rows of the stream, and of a page by default.")]
    timezone: str
    opens_at: datetime | None
    closes_at: datetime | None
    periods: list[OpenPeriodResponse]


class BoardsResponse(Schema):
    """All boards, in the order of the catalog."""

    time: Annotated[datetime, Field(description="The server's time.")]
    boards: list[BoardResponse]
