"""Schemas of POST /api/scores."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.definitions import COLUMN_ID, MAX_COLUMNS
from scoreboard.web.schemas.fields import Id, Name, Schema, whole

Value = Annotated[int, Field(ge=-MAX_SCORE, le=MAX_SCORE), BeforeValidator(whole)]

Columns = Annotated[
    dict[Annotated[str, Field(pattern=COLUMN_ID)], Value],
    Field(max_length=MAX_COLUMNS),
    # Pydantic's own schema would allow other names.
    WithJsonSchema({
        "type": "object",
        "propertyNames": {"pattern": COLUMN_ID},
        "additionalProperties": {"type": "integer", "minimum": -MAX_SCORE, "maximum": MAX_SCORE},
        "maxProperties": MAX_COLUMNS,
        "examples": [{"time": 61_250}],
    }),
]  # fmt: skip


class ScoreRequest(Schema):
    """A completed action. The server decides how many points it is worth."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"actionId": "complete-quest", "userId": "ada"}]}
    )

    action_id: Id
    user_id: Id
    points: Annotated[
        Value | None,
        Field(
            description="Only for trusted servers, and for actions with a range of points. Otherwise omit it."
        ),
    ] = None
    columns: Annotated[
        Columns | None,
        Field(
            description="Only for trusted servers: the values of the board's columns. Otherwise omit it.",
        ),
    ] = None
    period: Annotated[
        Id | None,
        Field(
            description="The period for which the action counts, such as `2026-W48`. "
            "Refused with `period_over` if it is not open. Omit it to count in any case."
        ),
    ] = None
    name: Annotated[
        Name,
        Field(
            description="Only for trusted servers: the player's name, cleaned for display. Otherwise omit it."
        ),
    ] = None
    proof: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=8_192,
            description="A trusted server's proof of this action. Each proof counts once (docs/security.md).",
        ),
    ] = None


class PeriodResponse(Schema):
    """The player in an open period, right after this event."""

    score: int | None
    rank: int | None


class ScoreResponse(Schema):
    """The result of an action."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{
                "eventId": "6f4cf6a3-0f6e-4b0c-9b37-2b1d0c8f7a55", "board": "main", "userId": "ada",
                "actionId": "complete-quest", "points": 50, "score": 150, "rank": 1, "version": 42,
            }]
        }
    )  # fmt: skip

    event_id: UUID
    board: str
    user_id: str
    action_id: str
    points: int
    score: Annotated[int, Field(description="The player's score on the board right after this event.")]
    rank: Annotated[
        int | None,
        Field(
            description="The player's rank at `version` or a later version; null if it is not known in time."
        ),
    ]
    version: Annotated[int, Field(description="The board's version after this event.")]
    columns: Annotated[
        dict[str, int], Field(description="The event's values; absent if the board has no columns.")
    ] = {}  # noqa: RUF012  # Pydantic copies it.
    periods: Annotated[
        dict[str, PeriodResponse],
        Field(description="The player's score and rank in each open period; absent if the board has none."),
    ] = {}  # noqa: RUF012
