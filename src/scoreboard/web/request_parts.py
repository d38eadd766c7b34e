"""Reads and validates the parts of a request: query, headers and JSON body."""

import json
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from scoreboard.domain.plain_text import check_id
from scoreboard.web import problems
from scoreboard.web.problems import FieldMistake, ValidationFailed
from scoreboard.web.schemas.fields import ID

Headers = Mapping[bytes, bytes]
Model = TypeVar("Model", bound=BaseModel)

MAX_BODY_BYTES: Final = 16_384
"""Fifty times the largest body that a client needs."""

MAX_MISTAKES: Final = 10
"""Invalid fields in one response. A body may have thousands."""

MAX_FIELD_CHARACTERS: Final = 64
"""The part of an invalid field's name that is repeated in a response. Known names are shorter."""

IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A value that the client chooses for this one request, such as a random UUID.",
    "schema": ID,
}
"""The header in the OpenAPI document."""


def query_parameters(scope: Scope) -> dict[str, str]:
    """Return the parameters of the query. Of a repeated one, the last counts."""
    text = scope["query_string"]
    return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True)) if text else {}


def check_json(headers: Headers) -> None:
    """Raise UnsupportedMediaType unless the body is declared as JSON."""
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise problems.UnsupportedMediaType


def idempotency_key(headers: Headers) -> str | None:
    """Return the idempotency key, if there is one. Raises ValidationFailed."""
    header = headers.get(b"idempotency-key")
    if header is None:
        return None
    try:
        return check_id(header.decode())
    except UnicodeDecodeError as error:
        raise ValidationFailed([FieldMistake("Idempotency-Key", "must be UTF-8")]) from error
    except ValueError as error:
        raise ValidationFailed([FieldMistake("Idempotency-Key", str(error))]) from error


async def read_json(model: type[Model], headers: Headers, receive: Receive) -> Model:
    """Read a JSON body into a model.

    Raises BodyTooLarge as early as possible, BodyIncomplete, BodyNotJson and ValidationFailed.
    """
    # The HTTP server has checked the value: digits, below 2**64. `int` would refuse very many leading zeros.
    content_length = headers.get(b"content-length", b"").lstrip(b"0")
    if content_length and int(content_length) > MAX_BODY_BYTES:
        raise problems.BodyTooLarge(MAX_BODY_BYTES)
    body, has_more = b"", True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problems.BodyIncomplete
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise problems.BodyTooLarge(MAX_BODY_BYTES)
        has_more = message.get("more_body", False)
    try:
        # A parser may ignore a byte order mark (RFC 8259, section 8.1), and some clients send one.
        return model.model_validate_json(body.removeprefix(BOM_UTF8))
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        if mistakes[0]["type"] == "json_invalid":
            return _parse_unusual_json(model, body)
        raise validation_failed(mistakes) from error


def _parse_unusual_json(model: type[Model], body: bytes) -> Model:
    """Parse with the standard library: Pydantic reports a lone surrogate without its field."""
    try:
        return model.model_validate(json.loads(body.decode("utf-8-sig")))
    except ValidationError as error:
        raise validation_failed(error.errors(include_url=False, include_input=False)) from error
    except (ValueError, RecursionError) as error:
        raise problems.BodyNotJson from error


def parse_query(model: type[Model], parameters: Mapping[str, str]) -> Model:
    """Return the parameters of a query or a path as a model. Raises ValidationFailed."""
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        raise validation_failed(error.errors(include_url=False, include_input=False)) from error


def validation_failed(mistakes: Sequence[Mapping[str, Any]], depth: int = 0) -> ValidationFailed:
    """Return an error with the first of Pydantic's mistakes.

    A field's name is the mistake's location, without its first `depth` parts.
    """
    shown = [
        FieldMistake(
            _shorten(".".join(map(str, mistake["loc"][depth:])) or "body"),
            mistake["msg"].removeprefix("Value error, "),
        )
        for mistake in mistakes[:MAX_MISTAKES]
    ]
    return ValidationFailed(shown, more=len(mistakes) - len(shown))


def _shorten(field: str) -> str:
    # A lone surrogate cannot be encoded as UTF-8.
    field = field.encode(errors="replace").decode()
    return field if len(field) <= MAX_FIELD_CHARACTERS else f"{field[:MAX_FIELD_CHARACTERS]}…"
