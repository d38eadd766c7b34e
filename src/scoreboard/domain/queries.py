"""Questions about the standings of a board in a period. Each one is answered by one atomic read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """The rows after the first `offset` rows, at most `limit`."""

    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class After:
    """The rows after a position in the order, at most `limit`.

    `position` is the `Entry.position` of the last row that was read. Rows that do not move are neither
    repeated nor left out, also if others move meanwhile.
    """

    position: tuple[int, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Around:
    """A player's row with about as many rows above as below, `limit` in all if the board has so many."""

    player: int
    limit: int


@dataclass(frozen=True, slots=True)
class Players:
    """The rows of those of the players who are on the board, in its order."""

    players: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AtRanks:
    """The rows at these positions of the order, from 1, each once. Positions beyond the last have none."""

    ranks: tuple[int, ...]


Query = Page | After | Around | Players | AtRanks


def first_index_around(index: int, limit: int, players: int) -> int:
    """Return the index of the first row of `Around`, for a player's index on a board of so many players."""
    return max(0, min(index - (limit - 1) // 2, players - limit))
