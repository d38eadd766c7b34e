"""Players, standings, changes and snapshots of a board."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scoreboard.domain.boards import ALL_TIME


@dataclass(frozen=True, slots=True)
class Player:
    """A player, with the integer key that the ledger uses. The key is the same on every board.

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
    def name_version(self) -> int:
        """The version of the player's name: of two names, the one with the higher version is newer."""
        return self.seq + self.renames


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a player on a board in a period.

    `version` is the last event that changed the standing. `reached_version` is the event with which the
    player reached `values`, in the history without void events. So a correction that is undone leaves the
    order as it was. A standing that is not `listed` keeps its values and has no rank. The user id and name
    are the same on every board. `name_version` is that of the player (`Player.name_version`).
    """

    player: int
    user_id: str
    name: str | None
    score: int
    reached_version: int
    reached_at_us: int
    version: int
    name_version: int
    listed: bool = True
    columns: tuple[int, ...] = ()
    period: str = ALL_TIME

    @property
    def values(self) -> tuple[int, ...]:
        """The score and the columns."""
        return (self.score, *self.columns)

    @property
    def is_empty(self) -> bool:
        """True if no event counts: all of them are void, on a board whose score is not a sum."""
        return self.reached_version == 0


class ChangeKind(StrEnum):
    """The state of a copy of a board after it has applied a change."""

    STEP = "step"
    """A commit: the copy has a later state of the board."""
    PAGE = "page"
    """A page of changes that the copy has missed: it is incomplete until it has the last page."""
    LAST_PAGE = "last page"
    """The last such page: the copy equals the board at `to_version`."""


@dataclass(frozen=True, slots=True)
class Change:
    """The standings of a board that changed after `from_version`, up to `to_version`, ordered by version.

    `reading_us` is that of the newest event (`Event.reading_us`). `periods` are those that are open at
    `to_version`. A correction may also change standings of earlier periods.
    """

    board: str
    kind: ChangeKind
    from_version: int
    to_version: int
    reading_us: int
    standings: tuple[Standing, ...]
    periods: tuple[str, ...] = (ALL_TIME,)


class Entry(NamedTuple):
    """A row of a board. Players with equal values have the same rank only if the board's `ties` are `shared`.

    `position` is the row's sort key (`ordering.order_key`), which no other row has. This is a named tuple,
    because a page has up to a hundred rows, and a dataclass takes four times as long to create.
    """

    rank: int
    user_id: str
    name: str | None
    score: int
    reached_at_us: int
    columns: tuple[int, ...] = ()
    position: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows of a board after the event `version`. `players` is the number of all its listed players.

    `reading_us` is as in `Change`.
    """

    board: str
    version: int
    reading_us: int
    players: int
    entries: tuple[Entry, ...]
    period: str = ALL_TIME
