"""Group commit: submissions that wait at the same time are written in one transaction, by one writer at a
time.

There are no timers. The store takes a batch only when it holds the lock of the batch's boards. So while one
batch is written, or another process holds the lock, the next batch grows. A batch that fails for an
unexpected reason is split until the submission that causes the failure is alone.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from scoreboard.domain.decisions import Decision, Refusal
from scoreboard.domain.errors import InternalError, RateLimited, ScoreboardError, StoreUnavailable
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.rules import decide_batch
from scoreboard.domain.submissions import Submission
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.store import Store, Take
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.services.answer import Answerer
from scoreboard.services.apply import Applier
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.refusal_cache import RefusalCache
from scoreboard.services.write_queue import Receipt, WaitingSubmission, WriteQueue

BATCH_SIZE: Final = 512
"""Submissions of one commit. Beyond a few hundred, a larger batch is no faster and only delays its first
submission.
"""

FAILED_ALONE: Final = 32
"""After this many submissions of a board have failed one by one, and none was accepted, the cause is the
board. Its remaining submissions in the batch are refused untried, because each attempt delays all others."""


class GroupCommit:
    """Commits submissions. `submit` returns only while the background loops (`loops`) run, on the same event
    loop.
    """

    def __init__(
        self,
        store: Store,
        applier: Applier,
        limit: RateLimit,
        clock_guard: ClockGuard,
        observer: Observer = NULL_OBSERVER,
        minimum: MinimumVersions | None = None,
    ) -> None:
        """`minimum` has the corrections that this process knows of. A command that serves no boards has none."""
        self._store = store
        self._limit = limit
        self._clock_guard = clock_guard
        self._observer = observer
        self._refusals = RefusalCache(clock_guard, minimum or MinimumVersions())
        self._queue = WriteQueue()
        self._answerer = Answerer(applier, observer)
        self._writing = BackgroundLoop("commit", self._tick, observer)
        self.loops = (self._writing, self._answerer.loop)

    @property
    def depth(self) -> int:
        """The number of waiting submissions."""
        return len(self._queue)

    async def submit(self, submission: Submission) -> Receipt:
        """Wait until the submission is in the ledger.

        Raises the error of a rule: RateLimited, ScoreOutOfRange, IdempotencyKeyReused, or an error of
        `action_rules`; PlayerBusy or QueueFull before it is processed; StoreUnavailable or ClockUnsure if it
        was not written; OutcomeUnknown if it may have been; InternalError if it makes its batch fail.
        """
        try:
            if submission.key is None:
                self._refusals.check(submission.user_id)
            waiting = WaitingSubmission(submission, asyncio.get_running_loop().create_future())
            self._queue.put(waiting)
            self._writing.wake()
            return await waiting.answer
        except ScoreboardError as error:
            self._observer.refused(error.code)
            raise

    async def _tick(self) -> None:
        while self._queue:
            await self._write()

    async def _write(self) -> None:
        batch: list[WaitingSubmission] = []
        boards = self._queue.boards()

        def take() -> Sequence[Submission]:
            batch.extend(self._queue.take(BATCH_SIZE, boards))
            return [waiting.submission for waiting in batch]

        try:
            await self._commit(boards, take, batch)
        except Exception as error:  # noqa: BLE001  # One bad submission must not lose the others.
            await self._isolate(batch or self._queue.take(BATCH_SIZE, boards), error)

    async def _commit(self, boards: Collection[str], take: Take, batch: Sequence[WaitingSubmission]) -> None:
        """Commit a batch, which is empty until the store calls `take`. Unexpected errors are passed on."""
        started = self._refusals.now()
        try:
            decision = await self._store.commit(boards, take, self._decide)
        except ScoreboardError as error:
            # Without the lock, nothing was taken: refuse all waiting submissions.
            for waiting in batch or self._queue.take_all():
                waiting.refuse(error)
        else:
            # An error here must not have the batch written again.
            with self._writing.failures.catch(part="answers"):
                self._answer(batch, decision, started)

    def _answer(self, batch: Sequence[WaitingSubmission], decision: Decision, started: float) -> None:
        """Answer refused submissions, and pass the committed ones on."""
        with self._writing.failures.catch(part="observer"):
            self._observer.committed(len(batch), len(decision.events), self._refusals.now() - started)
        for waiting, outcome in zip(batch, decision.outcomes, strict=True):
            if isinstance(outcome, Refusal):
                if isinstance(outcome.error, RateLimited):
                    self._refusals.remember(waiting.submission.user_id, started, outcome.error.retry_after_us)
                waiting.refuse(outcome.error)
        self._answerer.put(batch, decision)

    def _decide(self, batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        """Decide about a batch. The store calls this, under the lock. Raises ClockUnsure."""
        self._clock_guard.check(facts.at_us)
        return decide_batch(batch, facts, self._limit)

    async def _isolate(self, batch: Sequence[WaitingSubmission], error: Exception) -> None:
        """Split a failed batch in halves, repeatedly, until each submission that makes it fail is alone."""
        failed, passed = Counter[str](), set[str]()
        untried = self._split(batch, error)
        while untried:
            part: list[WaitingSubmission] = []
            for waiting in untried.pop():
                board = waiting.submission.board
                if failed[board] >= FAILED_ALONE and board not in passed:
                    waiting.refuse(StoreUnavailable())
                else:
                    part.append(waiting)
            boards = {waiting.submission.board for waiting in part}
            submissions = [waiting.submission for waiting in part]
            try:
                if part:
                    await self._commit(boards, partial(list, submissions), part)
                passed |= boards
            except Exception as again:  # noqa: BLE001  # As above.
                if len(part) == 1:
                    failed.update(boards)
                untried += self._split(part, again)

    def _split(
        self, batch: Sequence[WaitingSubmission], error: Exception
    ) -> list[Sequence[WaitingSubmission]]:
        """Return the halves of a failed batch, the first one last. Refuse a single submission."""
        if len(batch) > 1:
            middle = len(batch) // 2
            return [batch[middle:], batch[:middle]]
        for failed in batch:
            self._writing.failures.report(
                error, board=failed.submission.board, action=failed.submission.action.id
            )
            failed.refuse(InternalError())
        return []
