"""Port of the store for administrators: corrections and look-ups."""

from collections.abc import Sequence
from typing import Protocol

from scoreboard.domain.administration import (
    Correct,
    Correction,
    EventCursor,
    Profile,
    Record,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.domain.decisions import Decision
from scoreboard.ports.store import Store


class AdminStore(Protocol):
    """Each driver of `Store` is one of this, too. All methods raise StoreUnavailable."""

    async def correct(self, correction: Correction, correct: Correct) -> Decision:
        """Lock all boards, read the facts, correct, append, commit: one turn, as in `Store.commit`.

        Of a player who is erased, all that names it is taken out of the database in the same turn: user id and name,
        where its events came from, and the reasons of corrections about it.
        Raises OutcomeUnknown too. An error out of `correct` is passed on, and nothing was changed.
        """

    async def players(self, search: str, limit: int) -> Sequence[Profile]:
        """Players whose id begins with a text, or whose name contains it, and their standings by board; by id."""

    async def history(self, user_id: str, before: EventCursor | None, limit: int) -> Sequence[Record]:
        """The events of a player on all boards, newest first."""

    async def corrections(self, before: EventCursor | None, limit: int) -> Sequence[Record]:
        """All corrections of all boards, newest first: the audit log."""

    async def ledger(self, board: str, after: int, limit: int) -> Sequence[Record]:
        """The events of a board after a version, in order, at most `limit`."""

    async def suspects(
        self, since_us: int, conspicuous: SuspicionThresholds, limit: int
    ) -> Sequence[Suspect]:
        """Who has scored since then and stands out in any way; most points first."""


class Truth(Store, AdminStore, Protocol):
    """What each driver of the truth is."""
