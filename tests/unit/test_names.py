"""Names for display, following Unicode TR 36 and TR 39."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreboard.domain.names import check_name, claimed_name, clean_name, display_name

NOTHING_VISIBLE = {
    "zero width space": "\u200b",
    "joiners": "\u200c\u200d\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "Khmer inherent vowels": "\u17b4\u17b5",
    "Mongolian vowel separator": "\u180e",
    "blank Braille": "\u2800",
    "null notehead": "\U0001d159",
    "spaces of all widths": "\u00a0\u2000\u2009\u202f\u205f\u3000",
    "separators": "\u2028\u2029",
    "variation selectors": "\ufe00\ufe0f\U000e0100",
    "tags": "\U000e0041\U000e007f",
    "tags after a space": "\u2800\U000e0041",
    "bidirectional controls": "\u202e\u2066\u2069\u200f\u061c",
    "deprecated format characters": "\u206a\u206f",
    "musical format characters": "\U0001d173",
    "annotations": "\ufff9\ufffa\ufffb",
    "object replacement": "\ufffc",
    "unassigned ignorables": "\u2065\ufff0\U000e0fff",
    "no characters": "\ufdd0\uffff\U0010fffe",
    "marks without a base": "\u0301\u20dd",
    "joiners after such marks": "\u094d\u200d\u094d\u200c\u094d\u200d",
    "a variation selector after a filler": "\u1160\ufe00\u180b",
    "control characters": "\x00\x1b\x9b",
}

ALTERED = {
    "an override": ("abc\u202egnp.exe", "abcgnp.exe"),
    "isolates": ("\u2067Ada\u2069", "Ada"),
    "a space within": ("A\u200bda", "Ada"),
    "a joiner between letters": ("A\u200dd\u200ca", "Ada"),
    "a variation selector after a letter": ("A\ufe0fda", "Ada"),
    "another space": ("Ada\u3000\u00a0 Lovelace", "Ada Lovelace"),
    "a line": ("Ada\u2028Lovelace", "Ada Lovelace"),
    "two code points for one letter": ("Zoe\u0308", "Zoë"),
    "two for one, kept apart": ("Zoe\u034f\u0308", "Zoë"),
    "a tower of marks": ("A" + "\u0301\u0302" * 40, "Á\u0302\u0301\u0302\u0301"),
    "two joiners between emoji": ("👩\u200d\u200d💻", "👩\u200d💻"),
    "a joiner after an emoji": ("👩\u200d", "👩"),
    "a joiner before what is left out": ("❤\u200d\ufffc", "❤"),
    "a variation selector after what is left out": ("A\u1160\ufe00", "A"),
    "a tower of marks with joiners": ("क" + "\u094d\u200d" * 40, "क" + "\u094d\u200d" * 4),
    "a joiner after marks that change places": ("漢\u0300\u115f\u094d\u200d", "漢\u094d\u0300"),
    "tags after a letter": ("A\U000e0067\U000e007f", "A"),
    "unfinished tags of a flag": ("🏴\U000e0067\U000e0062", "🏴"),
    "hidden text in tags": ("Ada\U000e0068\U000e0069", "Ada"),
}

LEGITIMATE = {
    "Persian": "می\u200cخواهم",
    "Hindi, half form": "क्\u200dष",
    "Hindi, explicit virama": "क्\u200cष",
    "Sinhala": "ශ්\u200dරී",
    "Malayalam": "ന്\u200d",
    "family": "👨\u200d👩\u200d👧\u200d👦",
    "skin tone": "👩🏽\u200d💻",
    "heart on fire": "❤\ufe0f\u200d🔥",
    "rainbow flag": "🏳\ufe0f\u200d🌈",
    "pirate flag": "🏴\u200d☠\ufe0f",
    "nodding": "🙂\u200d↔\ufe0f",
    "keycap": "1\ufe0f\u20e3",
    "Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Japanese variant": "葛\U000e0100城",
    "Mongolian variant": "ᠠ\u180b",
    "Arabic": "عدا",
    "Hebrew with points": "שָׁלוֹם",
    "Thai": "ที่นี่",
    "Vietnamese": "Nguyễn",
    "Tibetan": "བོད་སྐད་",
    "Korean": "김철수",
    "apostrophe": "O’Brien",
}


@pytest.mark.parametrize("text", NOTHING_VISIBLE.values(), ids=NOTHING_VISIBLE.keys())
def test_a_name_without_a_visible_character_is_none(text: str) -> None:
    assert claimed_name(text) is None
    assert claimed_name(f" {text} {text}") is None
    assert display_name(text, "ada") == "ada"
    with pytest.raises(ValueError, match="must have"):
        check_name(text)


@pytest.mark.parametrize("text", NOTHING_VISIBLE.values(), ids=NOTHING_VISIBLE.keys())
def test_a_user_id_without_a_visible_character_is_escaped(text: str) -> None:
    assert display_name(None, text).startswith("\\")
    assert display_name(None, text).isascii()


@pytest.mark.parametrize(("text", "shown"), ALTERED.values(), ids=ALTERED.keys())
def test_invisible_characters_and_bidirectional_controls_are_removed(text: str, shown: str) -> None:
    assert claimed_name(text) == shown
    assert display_name(None, text) == shown


@pytest.mark.parametrize("text", LEGITIMATE.values(), ids=LEGITIMATE.keys())
def test_characters_that_a_script_or_an_emoji_needs_are_kept(text: str) -> None:
    assert claimed_name(text) == check_name(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "text", ["abc\u202egnp.exe", "A\u200bda", "A" + "\u0301" * 40, "x" * 129, "a\nb", "\ud800"]
)
def test_a_typed_name_is_refused_if_it_would_be_changed(text: str) -> None:
    with pytest.raises(ValueError, match="must have"):
        check_name(text)


def test_the_spaces_of_a_typed_name_are_normalized() -> None:
    assert check_name("  Zoe\u0308  \u3000 B. ") == "Zoë B."


@pytest.mark.parametrize("claim", [None, 7, True, ["Ada"], {"first": "Ada"}, "\ud800"])
def test_a_claim_that_is_not_a_name_is_none(claim: object) -> None:
    assert claimed_name(claim) is None


def test_a_long_name_is_cut_between_sequences() -> None:
    family = "👨\u200d👩\u200d👧"
    assert clean_name(family * 40).endswith(("👨", "👩", "👧"))
    assert len(clean_name("x" * 200)) == 128


def test_only_the_beginning_of_a_very_long_name_is_read() -> None:
    """A claim or a body can have thousands of characters. To read them all would delay other requests."""
    assert clean_name("\u200b" * 1_000 + "Ada") == "Ada"
    assert clean_name("\u200b" * 15_000 + "Ada") == ""


ODD = st.sampled_from("".join(NOTHING_VISIBLE.values()) + "".join(LEGITIMATE.values()) + "A1=\u0338\u0489")


@settings(max_examples=50)
@given(st.text() | st.text(ODD))
def test_a_displayed_name_stays_the_same_when_it_is_cleaned_again(text: str) -> None:
    name = clean_name(text)
    assert clean_name(name) == name == name.strip()
    assert len(name) <= 128
    assert not any(
        unicodedata.bidirectional(c) in {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI"}
        for c in name
    )
