"""Rows of a board as integers, which sort like the rows. Sorting them calls no Python code."""

from typing import Final

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.definitions import Definition
from scoreboard.domain.ordering import signs, tie_sign
from scoreboard.domain.standings import Standing

_VALUE_BITS: Final = 54
_TIE_BITS: Final = 53
_PLAYER_BITS: Final = 63

_TIE_AND_PLAYER_BITS: Final = _TIE_BITS + _PLAYER_BITS
_VALUE_MASK: Final = (1 << _VALUE_BITS) - 1
_TIE_MASK: Final = (1 << _TIE_BITS) - 1
_PLAYER_MASK: Final = (1 << _PLAYER_BITS) - 1


class OrderKeys:
    """Encodes the rows of boards with one definition.

    From the highest bits to the lowest, a key has the order value of the score, those of the columns that the
    board has, the `tie_order`, and the player's key. All but the last are shifted to be positive.
    """

    def __init__(self, definition: Definition) -> None:
        self._sign, *self._column_signs = signs(definition)
        self._tie_sign = tie_sign(definition)
        self._tie_shift = 0 if self._tie_sign > 0 else _TIE_MASK

    def encode(self, standing: Standing) -> int:
        """Return the key of a standing."""
        key = MAX_SCORE + self._sign * standing.score
        if self._column_signs:
            for sign, column in zip(self._column_signs, standing.columns, strict=True):
                key = key << _VALUE_BITS | MAX_SCORE + sign * column
        tie = self._tie_shift + self._tie_sign * standing.reached_version
        return (key << _TIE_BITS | tie) << _PLAYER_BITS | standing.player

    def decode(self, key: int) -> tuple[int, int, tuple[int, ...], tuple[int, ...]]:
        """Return the player's key, the score, the columns and the position (`Entry.position`)."""
        position = key >> _PLAYER_BITS
        tie = (position & _TIE_MASK) - self._tie_shift
        if self._column_signs:
            score, *columns = self.values(key)
            return key & _PLAYER_MASK, score, tuple(columns), (*self._order_values(key), tie)
        order_value = (position >> _TIE_BITS) - MAX_SCORE
        return key & _PLAYER_MASK, self._sign * order_value, (), (order_value, tie)

    def last_at(self, position: tuple[int, ...]) -> int:
        """Return the largest key at a position (`Entry.position`)."""
        *order_values, tie = position
        key = 0
        for order_value in order_values:
            key = key << _VALUE_BITS | MAX_SCORE + order_value
        return (key << _TIE_BITS | self._tie_shift + tie) << _PLAYER_BITS | _PLAYER_MASK

    def first_equal(self, key: int) -> int:
        """Return the smallest key with the same values."""
        return key >> _TIE_AND_PLAYER_BITS << _TIE_AND_PLAYER_BITS

    def values(self, key: int) -> tuple[int, ...]:
        """Return the score and the columns."""
        order_values = self._order_values(key)
        signs = (self._sign, *self._column_signs)
        return tuple(sign * value for sign, value in zip(signs, order_values, strict=True))

    def _order_values(self, key: int) -> tuple[int, ...]:
        key >>= _TIE_AND_PLAYER_BITS
        columns: list[int] = []
        for _ in self._column_signs:
            columns.append((key & _VALUE_MASK) - MAX_SCORE)
            key >>= _VALUE_BITS
        return (key - MAX_SCORE, *reversed(columns))
