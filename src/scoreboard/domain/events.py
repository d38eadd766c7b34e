"""Events: the rows of the append-only ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from scoreboard.domain.submissions import NO_PROVENANCE, Provenance

ERASED_MARK: Final = "\x1a"
"""What the user id of an erased player begins with: a control character (SUBSTITUTE), which no id of a user has."""


class EventKind(StrEnum):
    """What an event does to its player's standing. An award is the player's doing, all others are corrections."""

    AWARD = "award"
    ADJUST = "adjust"
    """Points given or taken by hand."""
    VOID = "void"
    """Takes back the points of an earlier event, its target."""
    UNVOID = "unvoid"
    """Gives them back."""
    BAN = "ban"
    """Off the board, score kept; no more submissions."""
    UNBAN = "unban"
    ERASE = "erase"
    """Off the board for good; nobody knows any more who it was."""
    HIDE = "hide"
    """Off the board, but submissions count as before."""
    SHOW = "show"
    RENAME = "rename"
    """The name was changed or cleared. The name itself is only in `players`."""
    RELEASE_NAME = "release-name"
    """The player's own tokens may change the name again."""


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the ledger: never changed, never deleted.

    `at_us` never goes back on a board, even if the clock does; see `windows`.

    `version` is the board's, gapless from 1. `seq` counts the player's accepted submissions over all boards,
    `action_seq` those of this action: only awards have them, and an action. `score` is the player's on this board once
    the event has happened. `target_version` is the event of this board that a void takes back, or an unvoid gives back.
    `hides` is true for an award or adjustment that begins the standing of a hidden player.
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
    """The clock's reading, where `at_us` is ahead of it. None: the same as `at_us`."""
    hides: bool = False

    @property
    def reading_us(self) -> int:
        """The clock's reading. Rate limits and other windows of time use it, and clients see it."""
        return self.at_us if self.clock_us is None else self.clock_us


@dataclass(frozen=True, slots=True)
class Reached:
    """The event that reached a score, and its reading of the clock."""

    version: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a board's history: its newest version and that event's times (0 for an empty board).

    `corrected_version` is the version of the newest correction, if it was queried. `clock_us` is as in `Event`.
    """

    version: int
    at_us: int
    corrected_version: int = field(default=0, compare=False)
    clock_us: int | None = None

    @property
    def reading_us(self) -> int:
        """The clock's reading, as in `Event`."""
        return self.at_us if self.clock_us is None else self.clock_us


NewId = Callable[[], UUID]
