"""The seam beside the seam: what an administrator does to the truth, and looks up in it. No score asks for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from scoreboard.interfaces import Settled, Store
from scoreboard.model import ERASED_MARK, Correction, Event, Head, Player, Reached, Standing


@dataclass(frozen=True, slots=True)
class Target:
    """An event that a correction is about, and whether it is void at the moment."""

    event: Event
    is_void: bool


@dataclass(frozen=True, slots=True)
class CaseFacts:
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

Correct = Callable[[CaseFacts], tuple[Settled, Player | None]]
"""What comes of a correction, and the player as it is then (None: nothing changes)."""

Profile = tuple[Player, Mapping[str, Standing]]
"""A player, and where it stands, by board."""


Place = tuple[int, str, int]
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
class Conspicuous:
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


class AdminStore(Protocol):
    """Each driver of `Store` is one of this, too. All methods raise StoreUnavailable."""

    async def correct(self, correction: Correction, correct: Correct) -> Settled:
        """Lock all boards, read the facts, correct, append, commit: one turn, as in `Store.commit`.

        Of a player who is erased, all that names it is taken out of the database in the same turn: user id and name,
        where its events came from, and the reasons of corrections about it.
        Raises OutcomeUnknown too. An error out of `correct` is passed on, and nothing was changed.
        """

    async def players(self, search: str, limit: int) -> Sequence[Profile]:
        """Players whose id begins with a text, or whose name contains it, and their standings by board; by id."""

    async def history(self, user_id: str, before: Place | None, limit: int) -> Sequence[Record]:
        """The events of a player on all boards, newest first."""

    async def corrections(self, before: Place | None, limit: int) -> Sequence[Record]:
        """All corrections of all boards, newest first: the audit log."""

    async def ledger(self, board: str, after: int, limit: int) -> Sequence[Record]:
        """The events of a board after a version, in order, at most `limit`."""

    async def suspects(self, since_us: int, conspicuous: Conspicuous, limit: int) -> Sequence[Suspect]:
        """Who has scored since then and stands out in any way; most points first."""


class Truth(Store, AdminStore, Protocol):
    """What each driver of the truth is."""
