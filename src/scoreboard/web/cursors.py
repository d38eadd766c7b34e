"""Cursors: positions on a board, as an opaque text for the next page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.web.problems import CursorInvalid

PATTERN: Final = "^[A-Za-z0-9_-]*$"
MAX_CHARACTERS: Final = 128

_FORM: Final = "1"
"""The first part of each cursor, so that other forms can be told apart."""


def encode_cursor(position: tuple[int, ...]) -> str:
    """Return the cursor of a row's position (`Entry.position`)."""
    text = ",".join((_FORM, *map(str, position)))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> tuple[int, ...]:
    """Return the position of a cursor, which has so many numbers on this board. Raises CursorInvalid."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        form, *parts = text.split(",")
        position = tuple(int(part) for part in parts)
    except ValueError as error:
        raise CursorInvalid from error
    is_in_range = all(abs(number) <= MAX_SCORE for number in position)
    if form != _FORM or len(position) != length or not is_in_range or encode_cursor(position) != cursor:
        raise CursorInvalid
    return position
