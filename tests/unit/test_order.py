"""The sorted collection behind the ranking in memory, against a plain sorted list."""

from itertools import islice

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from scoreboard.ranking import sorted_keys as module
from scoreboard.ranking.sorted_keys import Order


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> object:
    """So that a few keys are many blocks."""
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "BLOCK", 3)
    yield
    patch.undo()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=200))
def test_it_is_a_sorted_list_of_what_was_added_and_not_removed(toggled: list[int]) -> None:
    order = Order()
    plain: list[int] = []
    for key in toggled:
        if key in plain:
            order.remove(key)
            plain.remove(key)
        else:
            order.add(key)
            plain.append(key)
        plain.sort()
        assert len(order) == len(plain)
        if key in plain:
            assert order.rank(key) == plain.index(key) + 1
    assert list(order.after(0)) == plain
    for skipped in range(len(plain) + 2):
        assert list(islice(order.after(skipped), 3)) == plain[skipped : skipped + 3]
    for rank, key in enumerate(plain, start=1):
        assert order.rank(key) == rank
