"""Cursors of pages."""

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.web.cursors import MAX_CHARACTERS, PATTERN, decode_cursor, encode_cursor
from scoreboard.web.problems import CursorInvalid

positions = st.lists(st.integers(-MAX_SCORE, MAX_SCORE), min_size=2, max_size=4).map(tuple)


@given(positions)
def test_a_cursor_is_the_position_and_fits_into_a_parameter(position: tuple[int, ...]) -> None:
    cursor = encode_cursor(position)
    assert decode_cursor(cursor, len(position)) == position
    assert re.fullmatch(PATTERN, cursor)
    assert len(cursor) <= MAX_CHARACTERS
    with pytest.raises(CursorInvalid):
        decode_cursor(cursor, len(position) + 1)


@given(st.from_regex(PATTERN, fullmatch=True), st.integers(2, 4))
def test_any_other_text_is_no_cursor(text: str, length: int) -> None:
    try:
        position = decode_cursor(text, length)
    except CursorInvalid:
        return
    assert encode_cursor(position) == text


@pytest.mark.parametrize("position", [(MAX_SCORE + 1, 1), (1, -MAX_SCORE - 1)])
def test_a_position_that_no_row_has_is_no_cursor(position: tuple[int, ...]) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor(encode_cursor(position), 2)
