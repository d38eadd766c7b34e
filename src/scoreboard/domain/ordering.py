"""The order of a board: pure functions from values to integers of which the smaller one ranks first.

Stores and rankings sort these integers. Only this module knows whether high or low values rank first.
"""

from collections.abc import Sequence

from scoreboard.domain.definitions import Definition, Sort, Ties


def signs(definition: Definition) -> tuple[int, ...]:
    """Return 1 or -1 for the score and each column: multiplied with the value, it is the order value."""
    return tuple(-1 if sort is Sort.DESCENDING else 1 for sort in definition.sorts)


def tie_sign(definition: Definition) -> int:
    """Return 1 or -1: multiplied with the version that reached the values, it is the `tie_order`."""
    return -1 if definition.ties is Ties.LATEST else 1


def order_values(definition: Definition, values: Sequence[int]) -> tuple[int, ...]:
    """Return the order values of a score and its columns. The same call turns them back."""
    return tuple(sign * value for sign, value in zip(signs(definition), values, strict=True))


def tie_order(definition: Definition, reached_version: int) -> int:
    """Return the integer that orders players with equal values, which no two of them share.

    Each event reaches the values of one player. Neither a clock nor a collation takes part in the order.
    Players who share a rank are listed in the order in which they reached it.
    """
    return tie_sign(definition) * reached_version


def order_key(definition: Definition, values: Sequence[int], reached_version: int) -> tuple[int, ...]:
    """Return the sort key of a standing on its board."""
    return (*order_values(definition, values), tie_order(definition, reached_version))


def ranks(
    definition: Definition, values: Sequence[Sequence[int]], first_rank: int, first_index: int
) -> list[int]:
    """Return the ranks of consecutive rows of a board, given the rank and the index (from 0) of the first
    one.
    """
    if definition.ties is not Ties.SHARED:
        return list(range(first_index + 1, first_index + 1 + len(values)))
    found: list[int] = []
    for index, row in enumerate(values):
        is_equal = index > 0 and tuple(row) == tuple(values[index - 1])
        found.append(found[-1] if is_equal else first_rank if index == 0 else first_index + index + 1)
    return found
