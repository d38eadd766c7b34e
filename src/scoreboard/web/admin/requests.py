"""Request bodies and query parameters of `/api/admin/…`."""

from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from scoreboard.domain.administration import Correction, SuspicionThresholds
from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.events import EventKind
from scoreboard.domain.plain_text import MAX_CHARACTERS, MAX_REASON, check_reason, check_text
from scoreboard.web.schemas.fields import MAX_LIMIT, NO_CONTROL_CHARACTERS, Id, Name, Schema, digits, whole

CURSOR: Final = r"^[0-9]{1,16}-[0-9]{1,16}-[^\u0000-\u001F\u007F-\u009F]{1,128}$"
"""An `EventCursor` as text: time, version and board."""

MAX_DAYS: Final = 3_660

Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_REASON,
        description="The reason, for the audit log.",
        json_schema_extra=NO_CONTROL_CHARACTERS,
    ),
    AfterValidator(check_reason),
]
Whole = Annotated[int, Field(ge=-MAX_SCORE, le=MAX_SCORE), BeforeValidator(whole)]


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class CorrectionRequest(Schema):
    """The body of a correction."""

    def correction(self, kind: EventKind, actor: str) -> Correction:
        """Return the correction of an administrator, whose fields have the same names."""
        return Correction(kind, actor, **dict(self))


class PlayerCorrectionRequest(CorrectionRequest):
    """A correction of a player, and its reason."""

    model_config = _example(userId="ada", reason="Scores by a script")

    user_id: Id
    reason: Reason


class RenameRequest(CorrectionRequest):
    """A name that later submissions do not change, and the reason."""

    model_config = _example(userId="ada", name=None, reason="An insult")

    user_id: Id
    name: Annotated[
        Name,
        Field(
            description="Cleaned for display. If nothing visible is left, or null: boards show the user id."
        ),
    ]
    reason: Reason

    def correction(self, kind: EventKind, actor: str) -> Correction:
        return Correction(kind, actor, self.reason, user_id=self.user_id, name=self.name, keeps_name=True)


class AdjustRequest(CorrectionRequest):
    """Points to give, or negative points to take, and the reason."""

    model_config = _example(userId="ada", board="main", points=-50, reason="Counted twice by mistake")

    user_id: Id
    board: Id
    points: Whole
    reason: Reason


class EventCorrectionRequest(CorrectionRequest):
    """A correction of an event, and its reason."""

    model_config = _example(board="main", version=42, reason="A bug")

    board: Id
    version: Annotated[int, Field(ge=1, le=MAX_SCORE), BeforeValidator(whole)]
    reason: Reason

    def correction(self, kind: EventKind, actor: str) -> Correction:
        return Correction(kind, actor, self.reason, board=self.board, target_version=self.version)


class VoidSinceRequest(CorrectionRequest):
    """A player and a time: all later awards become void. And the reason."""

    model_config = _example(
        userId="ada", since="2026-11-24T10:00:00Z", reason="An account that was taken over"
    )

    user_id: Id
    since: AwareDatetime
    reason: Reason

    def correction(self, kind: EventKind, actor: str) -> Correction:
        since_us = round(self.since.timestamp() * 1_000_000)
        return Correction(kind, actor, self.reason, user_id=self.user_id, since_us=since_us)


Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT), BeforeValidator(digits)]


class Query(BaseModel):
    """Query parameters. Unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PlayersQuery(Query):
    """A search for players."""

    search: Annotated[
        str,
        Field(
            max_length=MAX_CHARACTERS,
            description="The beginning of a user id, or a part of a name.",
            json_schema_extra={"minLength": 0, **NO_CONTROL_CHARACTERS},
        ),
        AfterValidator(check_text),
    ] = ""
    limit: Limit = 20


class EventsQuery(Query):
    """A page of the audit log."""

    before: Annotated[
        str | None,
        Field(pattern=CURSOR, description="`next` of the previous page."),
        WithJsonSchema({"type": "string", "pattern": CURSOR}),
    ] = None
    limit: Limit = 50


class HistoryQuery(EventsQuery):
    """A page of a player's history."""

    user_id: Annotated[Id, Field(alias="userId")]


_DEFAULTS: Final = SuspicionThresholds()


class SuspectsQuery(Query):
    """A search for suspects."""

    days: Annotated[
        float, Field(gt=0, le=MAX_DAYS, allow_inf_nan=False, description="The number of days to look back.")
    ] = 7
    an_hour: Annotated[
        int,
        Field(alias="anHour", ge=1, le=MAX_SCORE, description="Awards in one hour of the clock."),
        BeforeValidator(digits),
    ] = _DEFAULTS.awards_an_hour
    irregularity: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            allow_inf_nan=False,
            description="The standard deviation of the intervals between awards, divided by their mean.",
        ),
    ] = _DEFAULTS.irregularity
    behind_address: Annotated[
        int,
        Field(alias="behindAddress", ge=2, le=MAX_SCORE, description="Players behind one address."),
        BeforeValidator(digits),
    ] = _DEFAULTS.players_behind_address
    limit: Limit = 50
