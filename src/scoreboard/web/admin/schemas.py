"""What an administrator's requests and answers look like."""

import operator
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from scoreboard.domain.administration import SuspicionThresholds
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.plain_text import MAX_CHARACTERS, MAX_REASON, check_reason, check_text
from scoreboard.web.schemas.fields import MAX_LIMIT, NO_CONTROL_CHARACTERS, Id, Name, Schema, digits, whole

CURSOR: Final = r"^[0-9]{1,16}-[0-9]{1,16}-[^\u0000-\u001F\u007F-\u009F]{1,128}$"
"""Where a page ends: time, version and board of its last event."""

MAX_DAYS: Final = 3_660

Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_REASON,
        description="For the audit log.",
        json_schema_extra=NO_CONTROL_CHARACTERS,
    ),
    AfterValidator(check_reason),
]
Whole = Annotated[int, Field(ge=-MAX_SCORE, le=MAX_SCORE), BeforeValidator(whole)]


class PlayerCorrectionRequest(Schema):
    """Of a player, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"userId": "ada", "reason": "Scores by a script"}]}
    )

    user_id: Id
    reason: Reason


class RenameRequest(Schema):
    """A name that later submissions do not change, and the reason."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"userId": "ada", "name": None, "reason": "An insult"}]}
    )

    user_id: Id
    name: Annotated[
        Name,
        Field(
            description="Cleaned for display. If nothing visible is left, or null: boards show the user id."
        ),
    ]
    reason: Reason


class AdjustRequest(Schema):
    """Points to give, or with a minus sign to take."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"userId": "ada", "board": "main", "points": -50, "reason": "Counted twice by mistake"}
            ]
        }
    )

    user_id: Id
    board: Id
    points: Whole
    reason: Reason


class EventCorrectionRequest(Schema):
    """An event of a board, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"board": "main", "version": 42, "reason": "A bug"}]}
    )

    board: Id
    version: Annotated[int, Field(ge=1, le=MAX_SCORE), BeforeValidator(whole)]
    reason: Reason


class VoidSinceRequest(Schema):
    """All of a player's awards from a moment on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"userId": "ada", "since": "2026-11-24T10:00:00Z", "reason": "An account that was taken over"}
            ]
        }
    )

    user_id: Id
    since: AwareDatetime
    reason: Reason


class CorrectedResponse(Schema):
    """What it came to; nothing where all was so already."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    events: Annotated[int, Field(description="How many events it made.")]
    versions: Annotated[dict[str, int], Field(description="The version that each board came to by them.")]


class StandingResponse(Schema):
    """Where a player stands on a board."""

    model_config = ConfigDict(validate_by_name=True)

    board: str
    score: int
    listed: bool
    version: Annotated[int, Field(description="Of the last event of this player on this board.")]


Flag = Annotated[bool, Field(description="True, or absent.", exclude_if=operator.not_)]


class PlayerResponse(Schema):
    """A player."""

    model_config = ConfigDict(validate_by_name=True)

    user_id: str
    name: str | None
    is_banned: bool
    is_hidden: Flag = False
    """True if the player is not on the boards. Submissions count."""
    is_name_kept: Flag = False
    """True if submissions do not change the name."""
    submissions: Annotated[int, Field(description="How many were accepted, on all boards.")]
    standings: list[StandingResponse]


class PlayersResponse(Schema):
    """Players that were found."""

    players: list[PlayerResponse]


class RecordResponse(Schema):
    """An event of the ledger."""

    model_config = ConfigDict(validate_by_name=True)

    event_id: UUID
    board: str
    version: int
    kind: str
    user_id: Annotated[str | None, Field(description="Null where the player was erased.")]
    action_id: str | None
    points: int
    score: Annotated[int, Field(description="The player's score on the board right after it.")]
    at: datetime
    is_void: bool
    target_version: Annotated[int | None, Field(description="The event that is voided, or given back.")]
    actor: Annotated[str | None, Field(description="Who has corrected.")]
    reason: str | None
    token_id: str | None
    address: Annotated[str | None, Field(description="A keyed hash: alike for the same address.")]
    agent: Annotated[str | None, Field(description="A keyed hash: alike for the same user agent.")]


class RecordsResponse(Schema):
    """A page of events, newest first."""

    events: list[RecordResponse]
    next: Annotated[str | None, Field(description="`before` of the next page; null at the end.")]


class SuspectResponse(Schema):
    """Somebody who stands out."""

    model_config = ConfigDict(validate_by_name=True)

    user_id: str
    name: str | None
    reasons: list[str]
    awards: int
    points: int
    most_an_hour: int
    interval_seconds: float | None
    irregularity: float | None
    players_behind_address: int


class SuspectsResponse(Schema):
    """They are told, never punished."""

    suspects: list[SuspectResponse]


Limit = Annotated[int, BeforeValidator(digits), Field(ge=1, le=MAX_LIMIT)]


class PlayersQuery(BaseModel):
    """The parameters of a search."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    search: Annotated[str, Field(max_length=MAX_CHARACTERS), AfterValidator(check_text)] = ""
    limit: Limit = 20


class EventsQuery(BaseModel):
    """The parameters of the audit log."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    before: Annotated[str, Field(pattern=CURSOR)] | None = None
    limit: Limit = 50


class HistoryQuery(EventsQuery):
    """The parameters of a player's history."""

    user_id: Annotated[Id, Field(alias="userId")]


_DEFAULTS: Final = SuspicionThresholds()


class SuspectsQuery(BaseModel):
    """The parameters of a search for who stands out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    days: Annotated[float, Field(gt=0, le=MAX_DAYS, allow_inf_nan=False)] = 7
    an_hour: Annotated[int, BeforeValidator(digits), Field(alias="anHour", ge=1, le=MAX_SCORE)] = (
        _DEFAULTS.awards_an_hour
    )
    irregularity: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = _DEFAULTS.irregularity
    behind_address: Annotated[
        int, BeforeValidator(digits), Field(alias="behindAddress", ge=2, le=MAX_SCORE)
    ] = _DEFAULTS.players_behind_address
    limit: Limit = 50
