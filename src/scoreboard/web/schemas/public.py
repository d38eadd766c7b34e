"""What requests and answers look like: checked here, and described in OpenAPI from here."""

import json
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.names import claimed_name
from scoreboard.domain.plain_text import MAX_CHARACTERS, check_id, check_text
from scoreboard.web.problems import BodyNotJson, FieldMistake, ValidationFailed

Query = TypeVar("Query", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)

MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**53 - 1

NO_CONTROL_CHARACTERS: Final = {"pattern": r"^[^\u0000-\u001F\u007F-\u009F]*$"}
"""What `check_id` says, as JSON Schema. (Of lone surrogates that knows nothing.)"""

ID: Final = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS, **NO_CONTROL_CHARACTERS}

Id = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_CHARACTERS,
        description="No control characters, no lone surrogates.",
        json_schema_extra=NO_CONTROL_CHARACTERS,
    ),
    AfterValidator(check_id),
]


Name = Annotated[
    Annotated[
        str,
        Field(min_length=1, max_length=MAX_CHARACTERS, json_schema_extra=NO_CONTROL_CHARACTERS),
        AfterValidator(check_text),
    ]
    | None,
    AfterValidator(claimed_name),
]
"""A name, cleaned as the claim of a token is. A name without a visible character counts as null."""


def whole(number: object) -> object:
    """In JSON, 50.0 is an integer too (JSON Schema, section 4.2.3)."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class Schema(BaseModel):
    """camelCase outside, and nothing that is not described."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


class ScoreRequest(Schema):
    """A completed action. What it is worth is the server's business."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"actionId": "complete-quest", "userId": "ada"}]}
    )

    action_id: Id
    user_id: Id
    points: Annotated[
        Annotated[int, Field(ge=-MAX_SCORE, le=MAX_SCORE), BeforeValidator(whole)] | None,
        Field(
            description="For trusted servers, and actions whose points lie in a range. Anybody else leaves it out."
        ),
    ] = None
    name: Annotated[
        Name,
        Field(
            description="For trusted servers: the player's name, cleaned for display. Other callers leave it out."
        ),
    ] = None
    proof: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=8_192,
            description="A trusted server's proof of this very action, which counts once (docs/security.md).",
        ),
    ] = None


class ScoreResponse(Schema):
    """What the action has counted for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "eventId": "6f4cf6a3-0f6e-4b0c-9b37-2b1d0c8f7a55",
                    "board": "main",
                    "userId": "ada",
                    "actionId": "complete-quest",
                    "points": 50,
                    "score": 150,
                    "rank": 1,
                    "version": 42,
                }
            ]
        }
    )

    event_id: UUID
    board: str
    user_id: str
    action_id: str
    points: int
    score: Annotated[int, Field(description="The player's score on the board right after this event.")]
    rank: Annotated[
        int | None,
        Field(
            description="The player's rank at `version`, or a moment later; null where it was not known in time."
        ),
    ]
    version: Annotated[int, Field(description="The board's version that this event made.")]


class EntryResponse(Schema):
    """A row of a board."""

    rank: int
    user_id: str
    name: Annotated[
        str,
        Field(description="From the token, a trusted server or an operator; else the user id."),
    ]
    score: int
    reached_at: datetime


class LeaderboardResponse(Schema):
    """A board after exactly `version` events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "board": "main",
                    "version": 42,
                    "updatedAt": "2026-11-24T10:00:00.123456Z",
                    "players": 1,
                    "entries": [
                        {
                            "rank": 1,
                            "userId": "ada",
                            "name": "Ada",
                            "score": 150,
                            "reachedAt": "2026-11-24T10:00:00.123456Z",
                        }
                    ],
                }
            ]
        }
    )

    board: str
    version: int
    updated_at: Annotated[
        datetime | None, Field(description="The time of the event `version`; null before the first.")
    ]
    players: Annotated[int, Field(description="How many players the whole board has.")]
    entries: list[EntryResponse]
    stale: Annotated[
        bool,
        Field(
            description="True where the server cannot reach its data, and this is the last board it knew; else absent."
        ),
    ] = False


class PatchResponse(Schema):
    """What has changed on the top 10, for whoever has the version `after`."""

    board: str
    after: int
    version: int
    updated_at: datetime
    players: int
    entries: Annotated[
        list[EntryResponse], Field(description="The rows that are new, in the order of their ranks.")
    ]
    gone: Annotated[
        list[str], Field(description="Users whose rows are gone; absent where there are none.")
    ] = []


class LiveResponse(Schema):
    """The process answers."""

    status: Annotated[str, Field(examples=["live"])]


class ReadyResponse(Schema):
    """Whether a balancer should send requests here."""

    status: Annotated[str, Field(examples=["ready"])]
    degraded: Annotated[
        list[str],
        Field(
            description="Unavailable dependencies, and `clock` with `clock_unsure`.",
            examples=[[]],
        ),
    ]


class FieldProblem(Schema):
    """A bad field."""

    field: str
    message: str


class ProblemResponse(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: Annotated[str, Field(description="Stable: for programs.")]
    detail: Annotated[str, Field(description="One sentence, for people.")]
    errors: Annotated[list[FieldProblem] | None, Field(description="Each bad field.")] = None


def digits(text: object) -> object:
    """Pydantic would take more for a number, such as 1_0."""
    if isinstance(text, str) and not (text.isascii() and text.removeprefix("-").isdigit()):
        raise ValueError("must be an integer")
    return text


class BoardQuery(BaseModel):
    """The parameters of a read. Numbers come as text here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MAX_LIMIT)] = 10
    offset: Annotated[int, BeforeValidator(digits), Field(ge=0, le=MAX_OFFSET)] = 0


class StreamQuery(BaseModel):
    """The parameters of a stream."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    board: Id | None = None
    delta: Literal["0", "1"] = "0"


MOST_MISTAKES: Final = 10
"""Invalid fields that an answer lists: a body may have thousands."""

MOST_FIELD_CHARACTERS: Final = 64
"""Characters of a field's name that an answer repeats. Known names are shorter."""


def read_json(kind: type[Body], body: bytes) -> Body:
    """Raises BodyNotJson, ValidationFailed."""
    try:
        # Some programs write a byte order mark first, which a parser may ignore (RFC 8259, section 8.1).
        return kind.model_validate_json(body.removeprefix(BOM_UTF8))
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        if mistakes[0]["type"] == "json_invalid":
            return _read_odd_json(kind, body)
        raise validation_failed(mistakes) from error


def _read_odd_json(kind: type[Body], body: bytes) -> Body:
    """Pydantic's parser takes a lone surrogate for broken JSON. It is not: name the field that has it."""
    try:
        return kind.model_validate(json.loads(body.decode("utf-8-sig")))
    except ValidationError as error:
        raise validation_failed(error.errors(include_url=False, include_input=False)) from error
    except (ValueError, RecursionError) as error:
        raise BodyNotJson from error


def read_query(kind: type[Query], parameters: dict[str, str]) -> Query:
    """Raises ValidationFailed."""
    try:
        return kind.model_validate(parameters)
    except ValidationError as error:
        raise validation_failed(error.errors(include_url=False, include_input=False)) from error


def validation_failed(mistakes: Sequence[Mapping[str, Any]], depth: int = 0) -> ValidationFailed:
    """Return the first mistakes that Pydantic found, each with the start of its field's name.

    The field's name begins after `depth` parts of the location.
    """
    told = [
        FieldMistake(
            _shortened(".".join(map(str, mistake["loc"][depth:])) or "body"),
            mistake["msg"].removeprefix("Value error, "),
        )
        for mistake in mistakes[:MOST_MISTAKES]
    ]
    return ValidationFailed(told, more=len(mistakes) - len(told))


def _shortened(field: str) -> str:
    # A lone surrogate has no UTF-8 encoding.
    field = field.encode(errors="replace").decode()
    return field if len(field) <= MOST_FIELD_CHARACTERS else f"{field[:MOST_FIELD_CHARACTERS]}…"
