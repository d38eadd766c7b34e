"""The service. It alone knows the order of effects: ledger first, then the ranking; the answer after both."""

from collections.abc import Mapping

from scoreboard.domain.boards import RateLimit
from scoreboard.domain.claims import claim
from scoreboard.domain.decisions import Decision
from scoreboard.domain.digests import Digests
from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Event, NewId
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.domain.standings import Snapshot
from scoreboard.domain.submissions import NO_PROVENANCE, Caller, Proof, Provenance
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.ranking import Ranking
from scoreboard.ports.store import Store
from scoreboard.services.fallback import TOP, Fallback
from scoreboard.services.group_commit import GroupCommit, Receipt
from scoreboard.services.healing import Healing
from scoreboard.settings.catalog import Catalog


class Scoring:
    """Submit an action, read a board."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        ranking: Ranking,
        healing: Healing,
        *,
        limit: RateLimit,
        clock: Clock,
        new_id: NewId,
        digests: Digests | None = None,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        self._catalog = catalog
        self._ranking = ranking
        self._healing = healing
        self._new_id = new_id
        self._clock = clock
        self._digests = digests or Digests()
        self._observer = observer
        self._fallbacks = {board: Fallback(store, board, clock, healing.minimum) for board in catalog.boards}
        self._shown = dict.fromkeys(catalog.boards, 0)
        self.commit = GroupCommit(store, self._apply, limit, clock, observer)

    async def submit(
        self,
        caller: Caller,
        action_id: str,
        user_id: str,
        idempotency_key: str | None = None,
        points: int | None = None,
        *,
        name: str | None = None,
        proof: Proof | None = None,
        provenance: Provenance = NO_PROVENANCE,
    ) -> Receipt:
        """Have an action counted; return when it is in the ledger for good.

        Raises UnknownAction, all that `rules.claim` raises, and all that `GroupCommit.submit` raises.
        """
        action = self._catalog.action(action_id)
        digest = None
        if idempotency_key is not None:
            is_server = WRITE_ANY_SCORES in caller.scopes
            digest = self._digests.submission(caller.user_id, idempotency_key, is_server=is_server)
        submission = claim(
            caller,
            user_id,
            action,
            self._new_id(),
            idempotency_digest=None if digest is None else digest.current,
            earlier_digests=() if digest is None else digest.earlier,
            points=points,
            name=name,
            proof=proof,
            provenance=provenance,
        )
        receipt = await self.commit.submit(submission)
        if receipt.rank is None and receipt.replayed:
            return Receipt(receipt.event, await self._rank(receipt.event), replayed=True)
        return receipt

    async def board(self, board_id: str | None, limit: int, offset: int = 0) -> Snapshot:
        """Return a page of a board (without an id: the first of the catalog).

        It is never older than a page that was shown before, nor than a known correction.

        Raises UnknownBoard, StoreUnavailable.
        """
        board = self._catalog.board(board_id).id
        snapshot = await self._ranked(board, limit, offset)
        if snapshot is not None and snapshot.version < self._minimum(board):
            # Another page was read meanwhile, and came first: this one is asked for once more.
            snapshot = await self._ranked(board, limit, offset)
        minimum = self._minimum(board)
        is_ranked = snapshot is not None and snapshot.version >= minimum
        self._observer.read("ranking" if is_ranked else "store")
        if snapshot is None or snapshot.version < minimum:
            snapshot = await self._fallbacks[board].page(limit, offset, at_least=minimum)
            if snapshot.version < minimum and offset + limit <= TOP:
                # The store itself has gone back (a restored backup): what it says now is the truth.
                self._shown[board] = snapshot.version
                if snapshot.version < self._healing.minimum.of(board):
                    self._healing.minimum.restart(board, snapshot.version)
        if offset + limit <= TOP:
            self._shown[board] = max(self._shown[board], snapshot.version)
        return snapshot

    async def apply_correction(self, decision: Decision) -> None:
        """Stop serving pages that are older than a correction, and update the ranking."""
        for change in decision.changes:
            self._healing.minimum.corrected(change.board, change.to_version)
        await self.commit.apply(decision)

    def _minimum(self, board: str) -> int:
        return max(self._shown[board], self._healing.minimum.of(board))

    async def _ranked(self, board: str, limit: int, offset: int) -> Snapshot | None:
        try:
            return await self._ranking.page(board, limit, offset)
        except RankingUnavailable:
            return None

    async def _rank(self, event: Event) -> int | None:
        """The player's rank now. Where the copy has not come to the event yet, it is not known."""
        try:
            progress = await self._ranking.progress(event.board)
            if progress.version < event.version:
                return None
            return await self._ranking.rank(event.board, event.player)
        except RankingUnavailable:
            return None

    async def _apply(self, decision: Decision) -> Mapping[int, int]:
        """Bring the ranking to what was committed; the ranks that are known then, by the player's integer key."""
        ranks: dict[int, int] = {}
        for change in decision.changes:
            begun = self._clock.monotonic()
            try:
                applied = await self._ranking.apply(change)
                if applied.version < change.to_version and await self._healing.close_gap(change, applied):
                    applied = await self._ranking.apply(change)
                ranks.update(applied.ranks)
                self._observer.applied(self._clock.monotonic() - begun)
            except (RankingUnavailable, StoreUnavailable):
                # The score is in the ledger. The copy catches up by itself; only this rank is not known in time.
                continue
        return ranks
