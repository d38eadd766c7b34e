"""What a request carries, read by plain ASGI."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from scoreboard.domain.plain_text import check_id
from scoreboard.web import problems
from scoreboard.web.schemas.public import ID

Headers = Mapping[bytes, bytes]

MAX_BODY_BYTES: Final = 16_384
"""Fifty times the largest body that makes sense."""


IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A value of the client's own for this one submission, such as a random UUID.",
    "schema": ID,
}
"""As OpenAPI has it."""


def parameters_of(scope: Scope) -> dict[str, str]:
    """Those of the query."""
    text = scope["query_string"]
    return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True)) if text else {}


def check_json(headers: Headers) -> None:
    """Raises UnsupportedMediaType."""
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise problems.UnsupportedMediaType


def idempotency_key(headers: Headers) -> str | None:
    """Raises ValidationFailed."""
    header = headers.get(b"idempotency-key")
    if header is None:
        return None
    try:
        return check_id(header.decode())
    except UnicodeDecodeError as error:
        raise problems.ValidationFailed(
            [problems.FieldMistake("Idempotency-Key", "must be UTF-8")]
        ) from error
    except ValueError as error:
        raise problems.ValidationFailed([problems.FieldMistake("Idempotency-Key", str(error))]) from error


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """Raises BodyTooLarge as soon as it is known, and BodyIncomplete."""
    # The server has checked it: digits, below 2**64. With leading zeros, it may have more digits than `int` accepts.
    content_length = headers.get(b"content-length", b"").lstrip(b"0")
    if content_length and int(content_length) > MAX_BODY_BYTES:
        raise problems.BodyTooLarge(MAX_BODY_BYTES)
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problems.BodyIncomplete
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise problems.BodyTooLarge(MAX_BODY_BYTES)
        if not message.get("more_body", False):
            return body
