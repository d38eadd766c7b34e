"""Values of administration: corrections, audit records and suspects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import ERASED_MARK, Event, EventKind, Head, Reached
from scoreboard.domain.standings import Player, Standing


@dataclass(frozen=True, slots=True)
class Correction:
    """What an administrator rights, and why: of an event (`board`, `target_version`), or of a player (`user_id`).

    A void has either, the latter with the time from which on all the player's awards are meant (`since_us`); an unvoid
    has an event; an adjustment has player, board and points; all others have a player. A change of the name has the
    new name (None: boards show the user id). It `keeps_name` if later submissions do not change the name.
    """

    kind: EventKind
    actor: str
    reason: str
    user_id: str | None = None
    board: str | None = None
    points: int = 0
    target_version: int | None = None
    since_us: int | None = None
    name: str | None = None
    keeps_name: bool = False
    idempotency_digest: UUID | None = None
    earlier_digests: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """An event that a correction is about, and whether it is void at the moment."""

    event: Event
    is_void: bool


@dataclass(frozen=True, slots=True)
class CorrectionFacts:
    """All that decides about a correction, read after all boards were locked.

    `at_us` is the store's clock. `heads` are those of all boards, `standings` the player's, by board. `targets` are the
    events to correct: the one that was named, or the oldest of the player's awards since a time that are not void, at
    most `MOST_TARGETS`. `reached` maps each of their boards to the event that reaches the score after the correction
    (`model.Standing`). `repeated` is the event that already has the correction's idempotency digest.
    """

    at_us: int
    player: Player | None
    heads: Mapping[str, Head]
    standings: Mapping[str, Standing]
    targets: Sequence[Target]
    reached: Mapping[str, Reached]
    repeated: Event | None


MOST_TARGETS: Final = 500
"""Events that one turn voids: it holds every board meanwhile."""

Correct = Callable[[CorrectionFacts], tuple[Decision, Player | None]]
"""What comes of a correction, and the player as it is then (None: nothing changes)."""

Profile = tuple[Player, Mapping[str, Standing]]
"""A player, and where it stands, by board."""

EventCursor = tuple[int, str, int]
"""Where a page of events ends: time, board and version of its last one. Newest first, by all three."""


@dataclass(frozen=True, slots=True)
class Record:
    """An event as an administrator sees it: whose it is, whether it is void; of a correction, who made it, and why."""

    event: Event
    user_id: str | None
    is_void: bool
    actor: str | None
    reason: str | None

    @property
    def known_user_id(self) -> str | None:
        """Whose it is; None once that player is erased."""
        is_erased = self.user_id is None or self.user_id.startswith(ERASED_MARK)
        return None if is_erased else self.user_id


@dataclass(frozen=True, slots=True)
class SuspicionThresholds:
    """From where on somebody stands out: awards in one hour of the clock, how far intervals between awards differ (the
    standard deviation as a part of the mean), players behind one address.
    """

    awards_an_hour: int = 60
    irregularity: float = 0.1
    players_behind_address: int = 5


FEW_AWARDS: Final = 10
"""Whoever has fewer than these has no pattern yet."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Somebody who stands out, and the figures behind it.

    `irregularity` is as in `Conspicuous`, and None of whoever has scored too seldom, as `interval_seconds`.
    """

    user_id: str
    name: str | None
    awards: int
    points: int
    most_an_hour: int
    interval_seconds: float | None
    irregularity: float | None
    players_behind_address: int
