"""Names for display: without invisible characters and bidirectional controls (Unicode TR 36 and TR 39).

A name with such characters would show as an empty row, look like another name, or reverse the text around it.
The joiners U+200C and U+200D, variation selectors and emoji tags are kept where a script or an emoji sequence
needs them.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from scoreboard.domain.plain_text import MAX_CHARACTERS, check_text

MAX_MARKS: Final = 4
"""Consecutive nonspacing marks in a name (TR 39, section 5.4). More would cover the rows around it."""

MAX_READ_CHARACTERS: Final = 1_024
"""The rest of a longer text is ignored. This limits the time for a text, and the memory of the cache."""

CACHED_NAMES: Final = 4_096
"""Size of the cache of cleaned names: boards show the same names repeatedly."""

_NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}-{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)

_INVISIBLE: Final = (
    # Default_Ignorable_Code_Point, which includes the bidirectional controls, and the Syriac abbreviation
    # mark.
    "\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Annotations, the object replacement character, a filler, controls of hieroglyphs, and noncharacters.
    f"\ufff9-\ufffc\U00016fe4\U00013430-\U00013440{_NONCHARACTERS}"
)

_INVISIBLE_CHARACTER: Final = re.compile(f"[{_INVISIBLE}]")

_PARTS: Final = re.compile(
    # The flag of a part of a country, such as Scotland's: kept whole.
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f|.",
    re.DOTALL,
)

_BLANK: Final = re.compile("[\\s\u2800\U0001d159\U00013441\U00013442]+")
"""Letters and symbols that are displayed as blank space."""

_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_KEYCAP: Final = "\u20e3"
_VIRAMA: Final = 9
"""The combining class of the sign that joins consonants in Indic scripts (virama)."""


def clean_name(text: str) -> str:
    """Return a text as a name for display: in NFC, at most 128 characters, and empty if nothing is visible.

    Any kind of space becomes U+0020. Control characters, invisible characters and excess marks are removed.
    """
    return _clean(text[:MAX_READ_CHARACTERS])


@lru_cache(CACHED_NAMES)
def _clean(text: str) -> str:
    if not text.isascii():
        plain = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cs"})
        text = unicodedata.normalize("NFC", _BLANK.sub(" ", plain))
        # Removing a character can let marks reorder, or compose with a letter. Repeat until nothing changes.
        while (visible := unicodedata.normalize("NFC", _visible(text))) != text:
            text = visible
    elif not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    name = " ".join(text.split())
    # The cut may split a sequence.
    return name if len(name) <= MAX_CHARACTERS else clean_name(name[:MAX_CHARACTERS])


def claimed_name(claim: object) -> str | None:
    """Return the cleaned name of a token's claim, or None if it has nothing visible."""
    return (clean_name(claim) or None) if isinstance(claim, str) else None


def check_name(text: str) -> str:
    """Return a name that a person has typed, in NFC. Raises ValueError if `clean_name` would change it."""
    name = clean_name(check_text(text))
    if not name:
        raise ValueError("must have a visible character")
    # Spaces are normalised without an error.
    if _BLANK.sub("", name) != unicodedata.normalize("NFC", _BLANK.sub("", text)):
        raise ValueError("must have no invisible characters and no bidirectional controls")
    return name


def display_name(name: str | None, user_id: str) -> str:
    """Return the name that boards show: the player's, or else the user id, escaped if it is invisible."""
    return (
        clean_name(name or "")
        or clean_name(user_id)
        or user_id.encode("unicode_escape").decode()[:MAX_CHARACTERS]
    )


def _visible(text: str) -> str:
    """Remove invisible characters that have no effect, and nonspacing marks without a base or in excess.

    Each character is judged by those before it that are kept, so that none outlives the one it depends on.
    """
    kept = ""
    marks = MAX_MARKS
    for match in _PARTS.finditer(text):
        part = match[0]
        is_mark = unicodedata.category(part[0]) in {"Mn", "Me"}
        if _INVISIBLE_CHARACTER.fullmatch(part):
            if not _has_effect(part, kept[-2 * MAX_MARKS :], text[match.end() : match.end() + 1]):
                continue
        elif not is_mark:
            marks = MAX_MARKS if part == " " else 0
        marks += is_mark
        if not is_mark or marks <= MAX_MARKS:
            kept += part
    return kept


def _has_effect(invisible: str, before: str, after: str) -> bool:
    """Return True if an invisible character is valid in its context."""
    if _INVISIBLE_CHARACTER.match(after):
        after = ""
    if invisible == _ZWNJ:
        return _follows_virama(before) or (_is_joining(_base(before)) and _is_joining(after))
    if invisible == _ZWJ:
        return _follows_virama(before) or (_is_pictograph(_base(before)) and _is_pictograph(after))
    if "\ufe0e" <= invisible <= _EMOJI_STYLE:
        return _is_pictograph(before[-1:]) or (before[-1:] in _KEYCAPS and after == _KEYCAP)
    return unicodedata.name(invisible, "").startswith(_SELECTORS) and _has_variants(before[-1:])


_KEYCAPS: Final = frozenset("0123456789#*")
_SELECTORS: Final = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION SELECTOR")


def _base(before: str) -> str:
    """Return the last character that is neither a mark nor a variation selector, or an empty string."""
    return before.rstrip("".join(c for c in set(before[-MAX_MARKS:]) if unicodedata.category(c) == "Mn"))[-1:]


def _follows_virama(before: str) -> bool:
    return bool(before) and unicodedata.combining(before[-1]) == _VIRAMA


def _is_joining(character: str) -> bool:
    """Return True for a letter of a cursive script such as Arabic (RFC 5892, appendix A.1)."""
    return bool(character) and unicodedata.bidirectional(character) == "AL"


def _is_pictograph(character: str) -> bool:
    return bool(character) and (
        "\U0001f000" <= character <= "\U0001faff"
        or character in "‼⁉〰ℹ"
        or (unicodedata.category(character) in {"So", "Sm"} and not character.isascii())
    )


def _has_variants(character: str) -> bool:
    """Return True for a letter of a script with variation sequences: Mongolian, Myanmar, or East Asian."""
    return character >= "\u1000" and unicodedata.category(character) == "Lo"
