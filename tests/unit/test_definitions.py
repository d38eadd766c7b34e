"""How values combine and rank on boards of every definition."""

from dataclasses import replace
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from scoreboard.domain.combining import Values, combine, combine_all
from scoreboard.domain.definitions import (
    Aggregation,
    Column,
    Definition,
    Sort,
    Ties,
    changed_keys,
    from_text,
    to_text,
)
from scoreboard.domain.ordering import order_key, order_values, ranks
from scoreboard.domain.periods import PeriodKind

SUM, BEST, LATEST, COUNT = Aggregation
DESCENDING, ASCENDING = Sort

LAP = Definition(BEST, ASCENDING)
ICPC = Definition(COUNT, columns=(Column("penalty", ASCENDING, SUM),))
BEST_COLUMN = Definition(columns=(Column("best", DESCENDING, BEST),))
RUN = Definition(BEST, columns=(Column("seconds", ASCENDING, BEST),))


@pytest.mark.parametrize(
    ("definition", "events", "standings"),
    [
        (Definition(), [(50,), (-20,), (0,)], [(50,), (30,), (30,)]),
        (Definition(COUNT), [(1,), (1,)], [(1,), (2,)]),
        (Definition(BEST), [(50,), (40,), (60,)], [(50,), (50,), (60,)]),
        (LAP, [(83_451,), (84_000,), (82_999,)], [(83_451,), (83_451,), (82_999,)]),
        (Definition(LATEST), [(1_500,), (1_480,)], [(1_500,), (1_480,)]),
        (RUN, [(10, 60), (10, 70), (10, 50), (11, 90)], [(10, 60), (10, 60), (10, 50), (11, 90)]),
        (ICPC, [(1, 30), (1, 45)], [(1, 30), (2, 75)]),
        (BEST_COLUMN, [(5, 5), (3, 3), (9, 9)], [(5, 5), (8, 5), (17, 9)]),
        (Definition(columns=(Column("last", DESCENDING, LATEST),)), [(5, 5), (3, 3)], [(5, 5), (8, 3)]),
    ],
)  # fmt: skip
def test_events_combine_as_the_definition_says(
    definition: Definition, events: list[Values], standings: list[Values]
) -> None:
    assert list(accumulate(events, lambda before, event: combine(definition, before, event))) == standings


def test_an_event_that_leaves_the_values_does_not_reach_them() -> None:
    events = [(1, (83_451,)), (2, (82_999,)), (5, (82_999,)), (6, (90_000,))]
    assert combine_all(LAP, events) == (2, (82_999,))
    assert combine_all(LAP, []) is None


def test_only_totals_are_additive_and_adjustable() -> None:
    definitions = (Definition(), Definition(COUNT), ICPC, LAP, RUN, Definition(LATEST))
    assert [one.is_additive for one in definitions] == [True, True, False, False, False, False]
    assert [one.is_adjustable for one in definitions] == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("definition", "rows", "order"),
    [
        (Definition(), [(30,), (50,), (50,)], [1, 2, 0]),
        (LAP, [(82_999,), (83_451,), (82_999,)], [0, 2, 1]),
        (Definition(ties=Ties.LATEST), [(50,), (50,), (60,)], [2, 1, 0]),
        (ICPC, [(2, 75), (2, 70), (3, 500)], [2, 1, 0]),
    ],
)
def test_smaller_keys_rank_first(definition: Definition, rows: list[Values], order: list[int]) -> None:
    """The row at index i was reached by event i + 1."""
    assert sorted(range(len(rows)), key=lambda index: order_key(definition, rows[index], index + 1)) == order


@pytest.mark.parametrize("definition", [Definition(), LAP, ICPC, RUN])
def test_order_values_turn_back_into_values(definition: Definition) -> None:
    values = (7, -3)[: len(definition.sorts)]
    assert order_values(definition, order_values(definition, values)) == values


def test_equal_values_share_a_rank_and_the_next_one_is_skipped() -> None:
    golf = Definition(sort=ASCENDING, ties=Ties.SHARED)
    assert ranks(golf, [(68,), (70,), (70,), (71,)], first_rank=1, first_index=0) == [1, 2, 2, 4]
    assert ranks(golf, [(70,), (71,)], first_rank=2, first_index=2) == [2, 4]
    assert ranks(Definition(), [(70,), (70,)], first_rank=3, first_index=2) == [3, 4]


WEEKLY = Definition(
    BEST, ASCENDING, RUN.columns, Ties.SHARED, (PeriodKind.DAY, PeriodKind.WEEK), ZoneInfo("Europe/Berlin")
)


def test_a_definition_is_kept_as_text() -> None:
    assert to_text(Definition(timezone=ZoneInfo("Europe/Berlin"))) == "sum, descending"
    assert to_text(WEEKLY) == (
        "best, ascending; columns: seconds best ascending; ties: shared; periods: day, week; "
        "timezone: Europe/Berlin"
    )
    for definition in (Definition(), LAP, ICPC, RUN, WEEKLY):
        assert from_text(to_text(definition)) == definition
    for text in ("sum, descending; freeze: 3", "product, descending", "", "sum"):
        with pytest.raises(ValueError):  # noqa: PT011
            from_text(text)


def test_each_key_that_has_changed_is_named() -> None:
    assert changed_keys(WEEKLY, WEEKLY) == ()
    assert changed_keys(Definition(ties=Ties.LATEST), Definition(COUNT)) == ("aggregation", "ties")
    assert changed_keys(Definition(), Definition(timezone=ZoneInfo("Asia/Tokyo"))) == ()
    assert changed_keys(WEEKLY, replace(WEEKLY, timezone=ZoneInfo("Asia/Tokyo"))) == ("timezone",)
