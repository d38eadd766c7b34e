"""Administration: commits corrections and applies them to the ranking, and searches players and events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from scoreboard.domain.administration import (
    Correction,
    CorrectionFacts,
    EventCursor,
    LedgerRecord,
    PlayerStandings,
    Suspect,
    SuspicionThresholds,
)
from scoreboard.domain.corrections import correct
from scoreboard.domain.decisions import NO_DECISION, Acceptance, Decision
from scoreboard.domain.digests import Digests
from scoreboard.domain.errors import OutcomeUnknown, QueueFull, UnknownPlayer
from scoreboard.domain.events import EventKind, NewId
from scoreboard.domain.standings import Player
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.clock import Clock
from scoreboard.services.apply import Applier
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.settings.catalog import Catalog

MAX_WAITING: Final = 100
"""Corrections that wait for the store. Each one locks all boards, so they are written one after the other."""

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class CorrectionResult:
    """The number of events that a correction made, and the new version of each changed board."""

    events: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)


class Administration:
    """The service of administrators."""

    def __init__(
        self,
        catalog: Catalog,
        store: AdminStore,
        applier: Applier,
        *,
        clock: Clock,
        new_id: NewId,
        digests: Digests | None = None,
        clock_guard: ClockGuard | None = None,
    ) -> None:
        """`clock_guard` is the group commit's, if this process accepts submissions."""
        self._catalog = catalog
        self._store = store
        self._applier = applier
        self._clock = clock
        self._new_id = new_id
        self._digests = digests or Digests()
        self._clock_guard = clock_guard or ClockGuard(clock)
        self._waiting = 0

    async def correct(self, correction: Correction, idempotency_key: str | None = None) -> CorrectionResult:
        """Commit a correction and apply it to the ranking. Screens show it within a second.

        Raises UnknownBoard, UnknownPlayer, UnknownEvent, EventNotVoidable, NotAdjustable, ScoreOutOfRange,
        IdempotencyKeyReused, NameKept, StoreUnavailable, ClockUnsure, OutcomeUnknown, QueueFull.
        """
        if correction.board is not None:
            self._catalog.board(correction.board)
        elif correction.kind is EventKind.HIDE:
            correction = replace(correction, board=self._catalog.board(None).id)
        if self._waiting >= MAX_WAITING:
            raise QueueFull
        self._waiting += 1
        try:
            return await self._correct(correction, idempotency_key)
        finally:
            self._waiting -= 1

    async def _correct(self, correction: Correction, idempotency_key: str | None) -> CorrectionResult:
        decided = NO_DECISION

        def decide(facts: CorrectionFacts) -> tuple[Decision, Player | None]:
            nonlocal decided
            self._clock_guard.check(facts.reading_us)
            decided, player = correct(correction, facts, self._new_id)
            return decided, player

        # All other corrections are idempotent by themselves.
        if idempotency_key is not None and correction.kind is EventKind.ADJUST:
            digest = self._digests.correction(correction.actor, idempotency_key)
            correction = replace(
                correction, idempotency_digest=digest.current, earlier_digests=digest.earlier
            )
        corrected = CorrectionResult()
        while True:
            try:
                decision = await self._store.correct(correction, decide)
            except OutcomeUnknown:
                # It may be in the ledger: pages from before it must not be served.
                self._applier.refuse_older_pages(decided)
                raise
            await self._applier.apply_correction(decision)
            for outcome in decision.outcomes:
                if isinstance(outcome, Acceptance):
                    return CorrectionResult(1, {outcome.event.board: outcome.event.version})
            corrected = CorrectionResult(
                corrected.events + len(decision.events),
                {**corrected.versions, **{change.board: change.to_version for change in decision.changes}},
            )
            # Many events are voided in several transactions, so that submissions are committed in between.
            if correction.since_us is None or not decision.events:
                return corrected

    async def players(self, search: str, limit: int) -> Sequence[PlayerStandings]:
        """Search players by id or name. Raises StoreUnavailable."""
        return await self._store.players(search, limit)

    async def history(self, user_id: str, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        """Return the events of a player, newest first. Raises UnknownPlayer, StoreUnavailable."""
        found = await self._store.history(user_id, before, limit)
        if not found and before is None:
            raise UnknownPlayer(user_id)
        return found

    async def corrections(self, before: EventCursor | None, limit: int) -> Sequence[LedgerRecord]:
        """Return the audit log, newest first. Raises StoreUnavailable."""
        return await self._store.corrections(before, limit)

    async def suspects(self, days: float, thresholds: SuspicionThresholds, limit: int) -> Sequence[Suspect]:
        """Return players with suspicious figures in the last days. Raises StoreUnavailable."""
        since_us = self._clock.now_us() - round(days * DAY_US)
        return await self._store.suspects(since_us, thresholds, limit)


def reasons(suspect: Suspect, thresholds: SuspicionThresholds) -> list[str]:
    """Return the thresholds that a suspect reaches: `rate`, `regular`, `address`."""
    found = {
        "rate": suspect.most_an_hour >= thresholds.awards_an_hour,
        "regular": suspect.irregularity is not None and suspect.irregularity <= thresholds.irregularity,
        "address": suspect.players_behind_address >= thresholds.players_behind_address,
    }
    return [reason for reason, is_reached in found.items() if is_reached]
