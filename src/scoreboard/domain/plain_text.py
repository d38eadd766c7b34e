"""Checks of ids, names and reasons, and text that is safe to print in a terminal."""

import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 128
MAX_REASON: Final = 500

_BIDI_CONTROLS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_id(text: str) -> str:
    """Return an id unchanged. Raises ValueError.

    It has 1 to 128 characters, without control characters and lone surrogates.
    """
    if not text:
        raise ValueError("must not be empty")
    return check_text(text)


def check_text(text: str, most: int = MAX_CHARACTERS) -> str:
    """Return a text unchanged. It follows the rules of an id, but may be empty. Raises ValueError."""
    if len(text) > most:
        raise ValueError(f"must have at most {most} characters")
    if not _is_plain(text):
        raise ValueError("must have no control characters and no lone surrogates")
    return text


def check_reason(text: str) -> str:
    """Return the reason of a correction unchanged. Raises ValueError."""
    if not text.strip():
        raise ValueError("must not be empty")
    return check_text(text, MAX_REASON)


def label(claim: object) -> str | None:
    """Return a claim as one line of at most 128 characters, without control characters; None if empty."""
    if not isinstance(claim, str):
        return None
    kept = (
        claim
        if _is_plain(claim)
        else "".join(c for c in claim if unicodedata.category(c) not in {"Cc", "Cs"})
    )
    return kept.strip()[:MAX_CHARACTERS].strip() or None


def printable(text: str) -> str:
    """Return a text without characters that control a terminal, the line or the direction of the text."""
    return "".join(
        character
        for character in text
        if character not in _BIDI_CONTROLS and unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
    )


def _is_plain(text: str) -> bool:
    # Printable ASCII is by far the most frequent. `Cc` are control characters, `Cs` surrogates.
    if text.isascii() and text.isprintable():
        return True
    return all(unicodedata.category(character) not in {"Cc", "Cs"} for character in text)
