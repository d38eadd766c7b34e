"""Port of the store for administration: everything in `Store`, and corrections and searches of the ledger."""

from collections.abc import Sequence
from typing import Protocol

from scoreboard.domain.administration import (
    Correction,
    DecideCorrection,
    EventCursor,
    LedgerRecord,
    PlayerStandings,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.domain.decisions import Decision
from scoreboard.ports.store import Store


class AdminStore(Store, Protocol):
    """A store that administrators can search and correct. All methods raise StoreUnavailable."""

    async def correct(self, correction: Correction, decide: DecideCorrection) -> Decision:
        """Lock all boards, read the facts, call `decide`, append its events and commit, in one transaction.

        An erasure also removes everything that names the player, in the same transaction: user id, name, the
        provenance of the player's events, and the reasons of corrections of the player.
        Raises OutcomeUnknown. If `decide` raises an error, nothing is changed, and the error is passed on.
        """

    async def players(self, search: str, limit: int) -> Sequence[PlayerStandings]:
        """Return players whose id starts with `search`, or whose name contains it.

        The player with exactly this id comes first, the others in the order of their ids.
        """

    async def history(self, user_id: str, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        """Return the events of a player on all boards, newest first."""

    async def corrections(self, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        """Return the audit log: the corrections of all boards, newest first."""

    async def ledger(self, board: str, after: int, limit: int) -> Sequence[LedgerRecord]:
        """Return the events of a board after a version, at most `limit`, in order."""

    async def suspects(self, since_us: int, thresholds: SuspicionThresholds, limit: int) -> Sequence[Suspect]:
        """Return players who scored since then and reach one of the thresholds, most points first."""
