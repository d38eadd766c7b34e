"""Schemas of GET /api/leaderboard and GET /api/leaderboard/stream."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.plain_text import check_id
from scoreboard.web import cursors
from scoreboard.web.schemas.fields import MAX_LIMIT, MAX_OFFSET, Id, Schema, digits

MAX_USERS: Final = 100
MAX_AGO: Final = 1_000

PERIOD_PATTERN: Final = (
    "^(all|day|week|month|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-W[0-9]{2}|[0-9]{4}-[0-9]{2})$"
)
STREAM_PERIOD_SCHEMA: Final = {
    "type": "string",
    "enum": ["all", "day", "week", "month"],
    "default": ALL_TIME,
}
PERIOD_SCHEMA: Final = {"type": "string", "pattern": PERIOD_PATTERN, "default": ALL_TIME}

CURSOR: Final = {"type": "string", "pattern": cursors.PATTERN, "maxLength": cursors.MAX_CHARACTERS}

_USER_ID: Final = r"[^,\u0000-\u001F\u007F-\u009F]{1,128}"
USER_IDS: Final = {"type": "string", "pattern": f"^{_USER_ID}(,{_USER_ID}){{0,{MAX_USERS - 1}}}$"}

Period = Annotated[str, Field(pattern=PERIOD_PATTERN)]
Limit = Annotated[int, BeforeValidator(digits), Field(ge=1, le=MAX_LIMIT)]
Ago = Annotated[int, BeforeValidator(digits), Field(ge=0, le=MAX_AGO)]


def _check_users(text: str) -> str:
    users = text.split(",")
    if len(users) > MAX_USERS:
        raise ValueError(f"must have at most {MAX_USERS} user ids")
    for user_id in users:
        check_id(user_id)
    return text


class BoardQuery(BaseModel):
    """The query of a read. Numbers are text in it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    period: Period = ALL_TIME
    ago: Ago = 0
    limit: Limit | None = None
    offset: Annotated[int, BeforeValidator(digits), Field(ge=0, le=MAX_OFFSET)] | None = None
    cursor: Annotated[str, Field(pattern=cursors.PATTERN, max_length=cursors.MAX_CHARACTERS)] | None = None
    around: Id | None = None
    user_ids: Annotated[Annotated[str, AfterValidator(_check_users)] | None, Field(alias="userIds")] = None

    @property
    def is_of_period(self) -> bool:
        """True unless it is about all time."""
        return self.period != ALL_TIME or self.ago > 0

    @property
    def asks_for_rows(self) -> bool:
        """True if it asks for other rows than those at an offset."""
        return not (self.cursor is None and self.around is None and self.user_ids is None)

    @property
    def users(self) -> list[str]:
        """The users of `userIds`, each one once."""
        return [] if self.user_ids is None else list(dict.fromkeys(self.user_ids.split(",")))


class StreamQuery(BaseModel):
    """The query of a stream."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    period: Literal["all", "day", "week", "month"] = ALL_TIME
    limit: Limit | None = None
    delta: Literal["0", "1"] = "0"


class EntryResponse(Schema):
    """A row of a board."""

    rank: int
    user_id: str
    name: Annotated[
        str,
        Field(description="From the token, a trusted server or an administrator; otherwise the user id."),
    ]
    score: int
    reached_at: datetime
    columns: Annotated[
        dict[str, int], Field(description="By the ids of the board's columns; absent if it has none.")
    ] = {}  # noqa: RUF012  # Pydantic copies it.
    rank_in_set: Annotated[
        int | None, Field(description="The rank among the `userIds`; absent without them.")
    ] = None


class LeaderboardResponse(Schema):
    """A board after exactly `version` events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{
                "board": "main", "version": 42, "updatedAt": "2026-11-24T10:00:00.123456Z", "players": 1,
                "entries": [{
                    "rank": 1, "userId": "ada", "name": "Ada", "score": 150,
                    "reachedAt": "2026-11-24T10:00:00.123456Z",
                }],
            }]
        }
    )  # fmt: skip

    board: str
    period: Annotated[str, Field(description="The period; absent for all time.")] = ALL_TIME
    version: int
    updated_at: Annotated[
        datetime | None, Field(description="The time of the event `version`; null before the first event.")
    ]
    players: Annotated[int, Field(description="The number of players on the whole board.")]
    entries: list[EntryResponse]
    stale: Annotated[
        bool,
        Field(description="True if this is the last known board, because the server cannot reach its data."),
    ] = False
    next: Annotated[
        str | None,
        Field(description="The cursor of the following page; null on the last one, absent without `cursor`."),
    ] = None
    unknown: Annotated[
        list[str],
        Field(description="Those of the `userIds` that are not on the board; absent without them."),
    ] = []  # noqa: RUF012


class PatchResponse(Schema):
    """The changes of the board's rows since the version `after`."""

    board: str
    period: Annotated[str, Field(description="The period; absent for all time.")] = ALL_TIME
    after: int
    version: int
    updated_at: datetime
    players: int
    entries: Annotated[list[EntryResponse], Field(description="New and changed rows, ordered by rank.")]
    gone: Annotated[
        list[str], Field(description="The users whose rows are removed; absent if there are none.")
    ] = []  # noqa: RUF012  # Pydantic copies it.
    ranks: Annotated[
        list[int] | None,
        Field(description="The ranks of all rows, if several rows share one; otherwise 1, 2, 3 …."),
    ] = None
    indexes: Annotated[
        list[int] | None,
        Field(description="The positions of `entries` on the board, from 0; only with `ranks`."),
    ] = None
