"""The base class of all schemas, and the types of their fields."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from scoreboard.domain.names import claimed_name
from scoreboard.domain.plain_text import MAX_CHARACTERS, check_id, check_text


class Schema(BaseModel):
    """A JSON object with names in camelCase. Unknown fields are errors."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 2**53 - 1

NO_CONTROL_CHARACTERS: Final = {"pattern": r"^[^\u0000-\u001F\u007F-\u009F]*$"}
"""The rule of `check_id`, as JSON Schema, which cannot express that lone surrogates are forbidden too."""

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
"""A name, cleaned like the name in a token. A name without a visible character counts as null."""


def whole(number: object) -> object:
    """Turn a float without a fraction into an integer: 50.0 is an integer in JSON Schema (section 4.2.3)."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def digits(text: object) -> object:
    """Refuse other texts than digits, for numbers in a query. Pydantic also accepts texts such as 1_0."""
    if isinstance(text, str) and not (text.isascii() and text.removeprefix("-").isdigit()):
        raise ValueError("must be an integer")
    return text
