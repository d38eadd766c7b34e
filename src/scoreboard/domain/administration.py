"""Values of administration: corrections and their facts, records of the ledger, and suspects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import ERASED_MARK, Event, EventKind, Head, ReachingEvent
from scoreboard.domain.standings import Player, Standing

MAX_TARGETS: Final = 500
"""Events that one transaction voids. It locks all boards, so submissions wait for it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What an administrator corrects, and why.

    - A void or an unvoid names an event (`board` and `target_version`).
    - A void may name a player and a time instead (`user_id` and `since_us`): it voids all later awards.
    - An adjustment names a player, a board and points.
    - A hide may name a board: that of the first event if there is no such player yet.
    - All others name a player. A rename has the new name; without one, boards show the user id. With
      `keeps_name`, later submissions do not change the name.
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
class ValuedEvent:
    """An event, whether it is void now, and the periods in whose standings it counts unless it is void."""

    event: Event
    is_void: bool
    periods: tuple[str, ...] = (ALL_TIME,)


@dataclass(frozen=True, slots=True)
class CorrectionFacts:
    """Everything that a correction depends on, read while all boards are locked.

    - `reading_us` is the reading of the store's clock.
    - `heads` and `definitions` have every board, `standings` those on which the player has a standing, by
      period.
    - `targets` is the event that the correction names, or the player's oldest awards since a time that are
      not void, at most `MAX_TARGETS`.
    - `reached` has, for each additive board of a target and each period of a target there, the event that
      reaches the score after the correction (`Standing`).
    - `events` has, for each other board of a target, all awards and adjustments of the player there, in
      order.
    - `repeated` is the event that was made with the same idempotency key.
    """

    reading_us: int
    player: Player | None
    heads: Mapping[str, Head]
    definitions: Mapping[str, Definition]
    standings: Mapping[str, Mapping[str, Standing]]
    targets: Sequence[ValuedEvent]
    reached: Mapping[tuple[str, str], ReachingEvent]
    events: Mapping[str, Sequence[ValuedEvent]]
    repeated: Event | None


DecideCorrection = Callable[[CorrectionFacts], tuple[Decision, Player | None]]
"""Decides about a correction. Returns the player after it, or None if nothing is to be written."""


class PlayerStandings(NamedTuple):
    """A player, and the player's standing of all time on each board."""

    player: Player
    standings: Mapping[str, Standing]


class EventCursor(NamedTuple):
    """The last event of a page. Events are ordered by these three fields, newest first."""

    at_us: int
    board: str
    version: int


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """An event with its player and whether it is void; for a correction, also its actor and reason."""

    event: Event
    user_id: str | None
    is_void: bool
    actor: str | None
    reason: str | None

    @property
    def known_user_id(self) -> str | None:
        """The player's user id; None if the player was erased."""
        is_erased = self.user_id is None or self.user_id.startswith(ERASED_MARK)
        return None if is_erased else self.user_id


@dataclass(frozen=True, slots=True)
class SuspicionThresholds:
    """Figures that make a player a suspect.

    `awards_an_hour` counts awards in one hour of the clock. `irregularity` is the standard deviation of the
    intervals between awards, divided by their mean: a script's is low. `players_behind_address` counts
    players per address.
    """

    awards_an_hour: int = 60
    irregularity: float = 0.1
    players_behind_address: int = 5


MIN_AWARDS: Final = 10
"""Fewer awards than these show no regularity."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A player who reaches one of the `SuspicionThresholds`, with the figures.

    `interval_seconds` and `irregularity` are None for players with fewer than `MIN_AWARDS` awards.
    """

    user_id: str
    name: str | None
    awards: int
    points: int
    most_an_hour: int
    interval_seconds: float | None
    irregularity: float | None
    players_behind_address: int
