"""Schemas of GET /api/leaderboard and GET /api/leaderboard/stream."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scoreboard.web.schemas.fields import MAX_LIMIT, MAX_OFFSET, Id, Schema, digits


class BoardQuery(BaseModel):
    """The query of a read. Numbers are text in it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MAX_LIMIT)] | None = None
    offset: Annotated[int, BeforeValidator(digits), Field(ge=0, le=MAX_OFFSET)] = 0


class StreamQuery(BaseModel):
    """The query of a stream."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
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


class PatchResponse(Schema):
    """The changes of the board's rows since the version `after`."""

    board: str
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
