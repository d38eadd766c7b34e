"""The reads that both stores share: each is one function, run in one transaction of the driver."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from scoreboard.domain.administration import (
    EventCursor,
    LedgerRecord,
    PlayerStandings,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event, Head
from scoreboard.domain.queries import Query
from scoreboard.domain.standings import Change, Snapshot, Standing
from scoreboard.store import reads, standings_order
from scoreboard.store.administration import reads as admin_reads
from scoreboard.store.administration.suspects import find_suspects
from scoreboard.store.boards import definitions
from scoreboard.store.changes import changes, standings_of_period

T = TypeVar("T")


class StoreReads(ABC):
    """The base class of both stores: the reads of `ports.Store` and `ports.AdminStore`."""

    @abstractmethod
    async def _read(self, work: Callable[..., T], *args: object) -> T:
        """Run a function in a transaction that only reads. Raises StoreUnavailable."""

    async def heads(self) -> Mapping[str, Head]:
        return await self._read(reads.heads)

    async def definitions(self) -> Mapping[str, Definition]:
        return await self._read(definitions)

    async def changes(self, board: str, after: int, limit: int) -> Change:
        return await self._read(changes, board, after, limit)

    async def standings(self, board: str, period: str, after: int, limit: int) -> Sequence[Standing]:
        return await self._read(standings_of_period, board, period, after, limit)

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        return await self._read(standings_order.read, board, period, query)

    async def player_keys(self, user_ids: Collection[str]) -> Mapping[str, int]:
        return await self._read(standings_order.player_keys, user_ids)

    async def events(self, board: str, after: int, limit: int) -> Sequence[Event]:
        return await self._read(reads.events, board, after, limit)

    async def players(self, search: str, limit: int) -> Sequence[PlayerStandings]:
        return await self._read(admin_reads.players_like, search, limit)

    async def history(self, user_id: str, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        return await self._read(admin_reads.history, user_id, before, limit)

    async def corrections(self, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        return await self._read(admin_reads.corrections_before, before, limit)

    async def ledger(self, board: str, after: int, limit: int) -> Sequence[LedgerRecord]:
        return await self._read(admin_reads.ledger, board, after, limit)

    async def suspects(self, since_us: int, thresholds: SuspicionThresholds, limit: int) -> Sequence[Suspect]:
        return await self._read(find_suspects, since_us, thresholds, limit)
