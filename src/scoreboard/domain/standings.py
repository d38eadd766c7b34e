"""Standings and snapshots of a board, and the order in which players rank."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Player:
    """The player with an integer key of the ledger, the same on every board.

    `seq` counts the accepted submissions over all boards, `renames` the changes of the name by corrections.
    """

    key: int
    user_id: str
    name: str | None
    seq: int
    is_banned: bool
    is_hidden: bool = False
    is_name_kept: bool = False
    renames: int = 0

    @property
    def stamp(self) -> int:
        """`Standing.seq`."""
        return self.seq + self.renames


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a player stands on a board, in absolute terms.

    `version` is the last event that changed the standing. `reached_version` is the event that reached `score`, in the
    history without the events that are void now: a correction that is undone leaves no trace in the order. A standing
    that is not `listed` keeps its score and has no rank. User id and name are the same on every board. `seq` counts
    the player's accepted submissions over all boards and the changes of the name by corrections, so the name with the
    higher `seq` is the newer one.
    """

    player: int
    user_id: str
    name: str | None
    score: int
    reached_version: int
    reached_at_us: int
    version: int
    seq: int
    listed: bool = True


class ChangeKind(StrEnum):
    """What a copy of a board is after a change."""

    STEP = "step"
    """A commit: it leads from one state of the board to a later one."""
    PAGE = "page"
    """A page of what a copy has missed: until the last one is in, the copy is no state that the board ever had."""
    LAST_PAGE = "last page"
    """The last such page: the copy is the board at `to_version` again."""


@dataclass(frozen=True, slots=True)
class Change:
    """The changes of a board after version `from_version`, up to `to_version`; standings in order of version.

    `at_us` is the reading of the clock (`Event.reading_us`) of the newest event.
    """

    board: str
    kind: ChangeKind
    from_version: int
    to_version: int
    at_us: int
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a board as people see it. Ranks are 1, 2, 3 …: there are no ties."""

    rank: int
    user_id: str
    name: str | None
    score: int
    reached_at_us: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A part of a board, exactly as it was after the event `version`; `players` counts all its listed players.

    `at_us` is as in `Change`.
    """

    board: str
    version: int
    at_us: int
    players: int
    entries: tuple[Entry, ...]


def order_key(standing: Standing) -> tuple[int, int]:
    """THE order of a board: score descending, then the version that reached it, ascending.

    Total, since no two standings of a board were reached by the same event. Neither clock nor collation takes part.
    """
    return (-standing.score, standing.reached_version)
