"""The rows of a board as scores and members of a sorted set, which Redis sorts by score and then by bytes."""

from collections.abc import Sequence
from typing import Final

from scoreboard.domain.definitions import Definition, Ties
from scoreboard.domain.ordering import ranks, signs, tie_sign
from scoreboard.domain.standings import Entry, Standing

_DIGITS: Final = 16
_BYTES: Final = 7
_SHIFT: Final = 2**53
"""Added to integers that may be negative: the sum sorts as bytes like the integer."""


class Members:
    """Encodes the rows of boards with one definition.

    The score is the first order value. The member is `key:player`. On a board without columns, the key is the
    version that reached the values, in digits. Otherwise, or if that version counts down (`ties = "latest"`),
    it is the order value of each column and the `tie_order`, in seven bytes each.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._sign, *self._column_signs = signs(definition)
        self._tie_sign = tie_sign(definition)
        self._is_binary = bool(definition.columns) or self._tie_sign < 0
        self._key_width = _BYTES * (1 + len(definition.columns)) if self._is_binary else _DIGITS
        self._columns_width = _BYTES * len(definition.columns)
        self._is_shared = definition.ties is Ties.SHARED
        tied_width = self._columns_width if self._is_shared else ""
        is_default = not self._is_binary and not self._is_shared
        self.layout = "" if is_default else f"{self._key_width} {tied_width}"
        """The width of a key in bytes, and that of its columns if ranks are shared (`lua/layout.lua`)."""

    def score_and_key(self, standing: Standing) -> tuple[int, int | bytes]:
        """Return the score and the key of a standing. The scripts pad digits with zeros."""
        if not self._is_binary:
            return self._sign * standing.score, standing.reached_version
        columns = zip(self._column_signs, standing.columns, strict=True)
        order_values = [sign * column for sign, column in columns]
        order_values.append(self._tie_sign * standing.reached_version)
        return self._sign * standing.score, _to_bytes(order_values)

    def time(self, standing: Standing) -> int | str:
        """Return `reached_at_us` as a row has it: next to a binary key in hexadecimal, which is shorter."""
        return f"{standing.reached_at_us:x}" if self._is_binary else standing.reached_at_us

    def at(self, position: Sequence[int]) -> tuple[int, bytes]:
        """Return the score and the key of a position (`Entry.position`)."""
        first, *others = position
        return first, _to_bytes(others) if self._is_binary else b"%016d" % others[-1]

    def player(self, member: bytes) -> bytes:
        """Return the player's key."""
        return member[self._key_width + 1 :]

    def ranks(
        self, scores: Sequence[bytes], members: Sequence[bytes], first_rank: int, first_index: int
    ) -> Sequence[int]:
        """Return the ranks of consecutive rows, of which the first one has this rank and index."""
        if not self._is_shared:
            return range(first_rank, first_rank + len(members))
        values = [
            (int(score), *member[: self._columns_width])
            for score, member in zip(scores, members, strict=True)
        ]
        return ranks(self._definition, values, first_rank, first_index)

    def entry(self, rank: int, score: bytes, member: bytes, name: bytes, reached_at_us: bytes) -> Entry:
        """Return a row. `name` is the text of the player (`name_text`)."""
        first = int(score)
        _, user_id, *names = name.decode().split("\0")
        player_name = names[0] if names else None
        if not self._is_binary:
            position = (first, int(member[:_DIGITS]))
            return Entry(rank, user_id, player_name, self._sign * first, int(reached_at_us), (), position)
        *order_values, tie = _from_bytes(member[: self._key_width])
        columns = zip(self._column_signs, order_values, strict=True)
        return Entry(
            rank,
            user_id,
            player_name,
            self._sign * first,
            int(reached_at_us, 16),
            tuple(sign * value for sign, value in columns),
            (first, *order_values, tie),
        )


def name_text(standing: Standing) -> str:
    """Return the user id and the name of a player as one text."""
    return standing.user_id if standing.name is None else f"{standing.user_id}\0{standing.name}"


def _to_bytes(values: Sequence[int]) -> bytes:
    return b"".join((value + _SHIFT).to_bytes(_BYTES, "big") for value in values)


def _from_bytes(key: bytes) -> list[int]:
    return [
        int.from_bytes(key[start : start + _BYTES], "big") - _SHIFT for start in range(0, len(key), _BYTES)
    ]
