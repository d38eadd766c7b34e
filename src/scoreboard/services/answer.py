"""Answers to committed submissions, with the player's rank if the ranking is quick enough."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Acceptance, Decision, Refusal
from scoreboard.domain.errors import RateLimited
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.services.apply import Applier
from scoreboard.services.refusal_cache import RefusalCache
from scoreboard.services.write_queue import PeriodResult, Receipt, WaitingSubmission

ANSWER_WITHOUT_RANK_SECONDS: Final = 0.25
"""How long an answer waits for the ranking. After it, the answer is sent without a rank."""

UNAPPLIED_BATCHES: Final = 16
"""Batches that may wait for the ranking, which limits the memory. Later ones are answered without ranks."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """A committed batch that waits for the ranking."""

    waiting: Sequence[WaitingSubmission]
    decision: Decision

    def accept(self, ranks: Mapping[tuple[str, int], int]) -> None:
        for waiting, outcome in zip(self.waiting, self.decision.outcomes, strict=True):
            if isinstance(outcome, Acceptance):
                rank = ranks.get((ALL_TIME, outcome.event.player))
                waiting.accept(Receipt(outcome.event, rank, outcome.replayed, _periods(outcome, ranks)))


def _periods(outcome: Acceptance, ranks: Mapping[tuple[str, int], int]) -> Mapping[str, PeriodResult] | None:
    """Return the results in the open periods, or None if the board has none."""
    if len(outcome.standings) <= 1:
        return None
    return {
        standing.period: PeriodResult(standing.score, ranks.get((standing.period, standing.player)))
        for standing in outcome.standings
        if standing.period != ALL_TIME
    }


class Answerer:
    """Answers the submissions of committed batches: refused ones at once, accepted ones with their ranks.

    A loop applies the batches to the ranking, in order. Meanwhile, the next batch is written.
    """

    def __init__(self, applier: Applier, refusals: RefusalCache, observer: Observer = NULL_OBSERVER) -> None:
        self._applier = applier
        self._refusals = refusals
        self._unapplied: deque[tuple[_Batch, asyncio.TimerHandle]] = deque()
        self.loop = BackgroundLoop("answers", self._tick, observer)

    def put(self, waiting: Sequence[WaitingSubmission], decision: Decision, started: float) -> None:
        """Answer a batch, whose commit began at the monotonic time `started`.

        An accepted submission is answered when the ranking has it, or after `ANSWER_WITHOUT_RANK_SECONDS`.
        """
        for one, outcome in zip(waiting, decision.outcomes, strict=True):
            if isinstance(outcome, Refusal):
                if isinstance(outcome.error, RateLimited):
                    self._refusals.remember(one.submission.user_id, started, outcome.error.retry_after_us)
                one.refuse(outcome.error)
        batch = _Batch(waiting, decision)
        if len(self._unapplied) >= UNAPPLIED_BATCHES:
            # The next batch that is applied finds the gap and heals it.
            batch.accept({})
            return
        late = asyncio.get_running_loop().call_later(ANSWER_WITHOUT_RANK_SECONDS, batch.accept, {})
        self._unapplied.append((batch, late))
        self.loop.wake()

    async def _tick(self) -> None:
        while self._unapplied:
            batch, late = self._unapplied[0]
            ranks: Mapping[tuple[str, int], int] = {}
            with self.loop.failures.catch(part="ranking"):
                ranks = await self._applier.apply(batch.decision)
            self._unapplied.popleft()
            late.cancel()
            batch.accept(ranks)
