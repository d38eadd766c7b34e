"""Schemas of GET /api/leaderboard/rank and GET /api/leaderboard/cutoffs."""

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scoreboard.web.schemas.fields import Id, Schema, digits
from scoreboard.web.schemas.leaderboard import Ago, EntryResponse, Period

MAX_NEIGHBOURS: Final = 50
NEIGHBOURS: Final = 3

MAX_CUTOFFS: Final = 100

_RANK: Final = "[1-9][0-9]{0,14}"
_PERCENT: Final = r"(100|[0-9]{1,2}(\.[0-9]{1,3})?)"


def _list(item: str) -> dict[str, object]:
    """Return the schema of a list of texts, separated by commas."""
    return {"type": "string", "pattern": f"^{item}(,{item}){{0,{MAX_CUTOFFS - 1}}}$"}


RANKS: Final = {**_list(_RANK), "example": "1,10,100"}
PERCENTS: Final = {**_list(_PERCENT), "example": "1,10"}

DEFAULT_RANKS: Final = (1, 10, 100)


class RankQuery(BaseModel):
    """The query of a rank."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    user_id: Annotated[Id, Field(alias="userId")]
    period: Period = "all"
    ago: Ago = 0
    neighbours: Annotated[int, BeforeValidator(digits), Field(ge=0, le=MAX_NEIGHBOURS)] = NEIGHBOURS


class CutoffsQuery(BaseModel):
    """The query of cutoffs."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    period: Period = "all"
    ago: Ago = 0
    ranks: Annotated[str, Field(pattern=str(RANKS["pattern"]))] | None = None
    percent: Annotated[str, Field(pattern=str(PERCENTS["pattern"]))] | None = None

    @property
    def all_ranks(self) -> tuple[int, ...]:
        """The ranks, or the default ones if there are no percentages either."""
        if self.ranks is None:
            return DEFAULT_RANKS if self.percent is None else ()
        return tuple(int(rank) for rank in self.ranks.split(","))

    @property
    def all_percents(self) -> tuple[Fraction, ...]:
        return () if self.percent is None else tuple(Fraction(percent) for percent in self.percent.split(","))


class _State(Schema):
    """The state of the board to which a response belongs."""

    board: str
    period: Annotated[str, Field(description="The period; absent for all time.")] = "all"
    version: int
    updated_at: datetime | None
    players: Annotated[int, Field(description="The number of players on the whole board.")]


class RankResponse(_State):
    """A player on a board after exactly `version` events."""

    user_id: str
    rank: Annotated[int | None, Field(description="Null if the player is not on the board.")]
    score: int | None
    name: Annotated[str | None, Field(description="Absent if the player is not on the board.")] = None
    reached_at: datetime | None = None
    columns: dict[str, int] = {}  # noqa: RUF012  # Pydantic copies it.
    percentile: Annotated[
        float | None, Field(description="The percentage of the players who do not have a better rank.")
    ]
    points_to_next_rank: Annotated[
        int | None,
        Field(
            description="The difference to the score of the nearest player with a better rank; null for the "
            "first rank."
        ),
    ]
    above: Annotated[
        list[EntryResponse],
        Field(description="The rows right above, or the last rows if the player is not on the board."),
    ]
    below: Annotated[list[EntryResponse], Field(description="The rows right below.")]


class RankCutoffResponse(Schema):
    """The score at a rank; null if the board has fewer players."""

    rank: int
    score: int | None
    columns: dict[str, int] = {}  # noqa: RUF012


class PercentCutoffResponse(Schema):
    """The score of the last player of a percentage; null on an empty board."""

    percent: float
    rank: int | None
    score: int | None
    columns: dict[str, int] = {}  # noqa: RUF012


class CutoffsResponse(_State):
    """Scores of a board after exactly `version` events."""

    ranks: list[RankCutoffResponse]
    percent: list[PercentCutoffResponse]
