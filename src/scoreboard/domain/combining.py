"""How the values of events combine into the values of a standing: pure functions over a board's definition.

Values are the score and the columns of the board, in this order.
"""

from collections.abc import Iterable

from scoreboard.domain.definitions import Aggregation, Definition, Sort
from scoreboard.domain.ordering import order_values

Values = tuple[int, ...]


def combine(definition: Definition, before: Values | None, event: Values) -> Values:
    """Return the values after one more event. `before` is None if no event counts yet."""
    if before is None:
        return event
    if definition.aggregation is Aggregation.LATEST:
        return event
    if definition.aggregation is Aggregation.BEST:
        is_better = order_values(definition, event) < order_values(definition, before)
        return event if is_better else before
    score = before[0] + event[0]
    columns = (_column(definition, index, before[index], event[index]) for index in range(1, len(before)))
    return (score, *columns)


def _column(definition: Definition, index: int, before: int, event: int) -> int:
    """Combine a column of a board whose score is a sum or a count."""
    match definition.columns[index - 1].aggregation:
        case Aggregation.LATEST:
            return event
        case Aggregation.BEST:
            best = max if definition.columns[index - 1].sort is Sort.DESCENDING else min
            return best(before, event)
        case Aggregation.SUM | Aggregation.COUNT:
            return before + event


def combine_all(definition: Definition, events: Iterable[tuple[int, Values]]) -> tuple[int, Values] | None:
    """Combine the events that count, as version and values, in order. Return None if there are none.

    Otherwise, return the version of the event that reached the values, and the values.
    """
    reached: tuple[int, Values] | None = None
    for version, event in events:
        values = combine(definition, None if reached is None else reached[1], event)
        if reached is None or values != reached[1]:
            reached = version, values
    return reached
