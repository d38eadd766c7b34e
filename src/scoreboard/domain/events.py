"""Events: the rows of the append-only ledger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.submissions import NO_PROVENANCE, Provenance

NO_PLAYER: Final = 0
"""The player of a rollover. The keys of players begin with 1."""

ERASED_MARK: Final = "\x1a"
"""The first character of an erased player's user id: a control character that no user id has."""


class EventKind(StrEnum):
    """The effect of an event on its player's standing. Awards come from submissions, rollovers from the
    clock, and all others from corrections.
    """

    AWARD = "award"
    ADJUST = "adjust"
    """Adds or subtracts points."""
    VOID = "void"
    """Cancels the points of an earlier event, its target."""
    UNVOID = "unvoid"
    """Restores them."""
    BAN = "ban"
    """Removes the player from the boards, and refuses its submissions. The score is kept."""
    UNBAN = "unban"
    ERASE = "erase"
    """Removes the player from the boards permanently, and its user id and name from the database."""
    HIDE = "hide"
    """Removes the player from the boards. Its submissions still count."""
    SHOW = "show"
    RENAME = "rename"
    """Changes or clears the name, which is only in `players`."""
    RELEASE_NAME = "release-name"
    """Lets the player's own tokens change the name again."""
    ROLLOVER = "rollover"
    """Begins a period, and ends the one of the same kind that was open. It has no player."""


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the ledger. It is never changed or deleted.

    The versions of a board are consecutive, from 1. `at_us` never decreases on a board, even if the clock
    goes back (`windows`). `score` is the player's score on this board after the event. `seq` numbers the
    player's accepted submissions on all boards, and `action_seq` those of this action. Only awards have these
    and an `action_id`. `target_version` is the event of this board that a void cancels or an unvoid restores.
    `hides` is True for an award or adjustment that starts the standing of a hidden player. `columns` are the
    values of an award next to its points. A rollover has no player (`NO_PLAYER`), the `period` that it
    begins, and its first moment in UTC, `boundary_us`.
    """

    event_id: UUID
    board: str
    version: int
    player: int
    kind: EventKind
    seq: int | None
    action_id: str | None
    action_seq: int | None
    points: int
    score: int
    at_us: int
    idempotency_digest: UUID | None = None
    proof_digest: UUID | None = None
    target_version: int | None = None
    provenance: Provenance = NO_PROVENANCE
    clock_us: int | None = None
    """The clock's reading if `at_us` is ahead of it, or None if both are the same."""
    hides: bool = False
    columns: tuple[int, ...] = ()
    period: str | None = None
    boundary_us: int | None = None

    @property
    def reading_us(self) -> int:
        """The clock's reading. Rate limits and other windows of time use it, and clients see it."""
        return self.at_us if self.clock_us is None else self.clock_us


@dataclass(frozen=True, slots=True)
class ReachingEvent:
    """The event that reached the values of a standing, and its reading of the clock."""

    version: int
    reading_us: int


@dataclass(frozen=True, slots=True)
class Head:
    """The newest version of a board, and the times of that event. All are 0 for an empty board.

    `corrected_version` is the version of the newest correction, if it was queried. `clock_us` is as in
    `Event`. `periods` are the open ones. There are none before the first rollover.
    """

    version: int
    at_us: int
    corrected_version: int = field(default=0, compare=False)
    clock_us: int | None = None
    periods: Mapping[PeriodKind, str] = field(default_factory=dict)

    @property
    def reading_us(self) -> int:
        """The clock's reading, as in `Event`."""
        return self.at_us if self.clock_us is None else self.clock_us

    @property
    def open_periods(self) -> tuple[str, ...]:
        """The periods whose standings an event changes."""
        return (ALL_TIME, *self.periods.values())


NewId = Callable[[], UUID]
