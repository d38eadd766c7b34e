"""The answers of a server that the client reads, and how scores are written."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.periods import SECOND_US, parse_period


class _Schema(BaseModel):
    # A newer server may send additional fields.
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", strict=True, frozen=True
    )


class Row(_Schema):
    """A row of the board."""

    rank: int
    user_id: str
    name: str
    score: int
    columns: dict[str, int] = {}


class Board(_Schema):
    """The top of a board after exactly `version` events. The stream is live."""

    board: str
    period: str = ALL_TIME
    version: int
    updated_at: datetime | None
    players: int
    entries: tuple[Row, ...]
    stale: bool = False


class Column(_Schema):
    """A further value of each row."""

    id: str
    decimals: Annotated[int, Field(ge=0, le=9)] = 0


class OpenPeriod(_Schema):
    """The period of its kind that is open."""

    kind: str
    id: str


class Definition(_Schema):
    """How the rows of a board are written, and its open periods."""

    id: str = ""
    sort: Literal["descending", "ascending"] = "descending"
    columns: tuple[Column, ...] = ()
    decimals: Annotated[int, Field(ge=0, le=9)] = 0
    unit: str | None = None
    timezone: str = "UTC"
    periods: tuple[OpenPeriod, ...] = ()

    def is_better(self, gained: int) -> bool:
        """Return True if a change of a score is one for the better."""
        return (gained > 0) is (self.sort == "descending")

    def end_of(self, period: str) -> datetime | None:
        """Return when a period ends, or None if the time zone is not known here."""
        try:
            ends_us = parse_period(period, ZoneInfo(self.timezone)).ends_us
        except (ValueError, KeyError, OSError, OverflowError):
            return None
        return datetime.fromtimestamp(ends_us // SECOND_US, UTC)


class Definitions(_Schema):
    """The boards of a server, in the order of its catalog."""

    boards: tuple[Definition, ...]


class Problem(_Schema):
    """An error."""

    detail: str


def score_text(score: int, decimals: int, *, is_grouped: bool = False, is_signed: bool = False) -> str:
    """Return a score with its decimals: 61250 with 3 decimals is `61.250`."""
    whole, fraction = divmod(abs(score), 10**decimals)
    sign = "-" if score < 0 else "+" if is_signed else ""
    digits = f"{whole:,}" if is_grouped else str(whole)
    return f"{sign}{digits}.{fraction:0{decimals}}" if decimals else f"{sign}{digits}"
