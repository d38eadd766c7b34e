"""Group commit: all submissions that wait are written in one transaction, by one writer at a time.

There are no timers. The store takes a batch only when it holds the lock of the batch's boards. So the next
batch grows while this one is written, or while another process holds the lock. A batch that fails for an
unexpected reason is split (`bisection`).

A commit also locks boards whose periods may have ended (`due_boards`). Its decision begins with the rollovers
that are due on the locked boards.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import InternalError, ScoreboardError
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.rules import DecisionInputs, decide_batch
from scoreboard.domain.submissions import Submission
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.store import Store
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.services.answer import Answerer
from scoreboard.services.apply import Applier
from scoreboard.services.bisection import Bisection
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.due_boards import DueBoards
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.refusal_cache import RefusalCache
from scoreboard.services.write_queue import Receipt, WaitingSubmission, WriteQueue

BATCH_SIZE: Final = 512
"""Submissions of one commit. A larger batch is no faster, and delays its first submission."""


class _Batch:
    """The submissions of one commit: a part of a batch that failed, or else the next ones of the queue.

    `due` are further boards, for rollovers. A part has none.
    """

    def __init__(self, queue: WriteQueue, part: list[WaitingSubmission], due: frozenset[str]) -> None:
        self._queue = queue
        self.waiting = part
        """Empty before a batch is taken from the queue."""
        self.due = due
        self.boards = frozenset(waiting.submission.board for waiting in part) or queue.boards() | due

    def take(self) -> Sequence[Submission]:
        """Return the submissions, first taken from the queue unless they are a part. From any thread."""
        if not self.waiting:
            self.waiting = self._queue.take(BATCH_SIZE, self.boards)
        return [waiting.submission for waiting in self.waiting]


class GroupCommit:
    """Commits submissions. Its background loops (`loops`) must run on the event loop that calls `submit`."""

    def __init__(
        self,
        store: Store,
        applier: Applier,
        inputs: DecisionInputs,
        clock: Clock,
        observer: Observer = NULL_OBSERVER,
        minimum: MinimumVersions | None = None,
        clock_guard: ClockGuard | None = None,
    ) -> None:
        """`minimum` has the corrections that this process knows of; none in a command."""
        self._store = store
        self._inputs = inputs
        self._clock = clock
        self._clock_guard = clock_guard or ClockGuard(clock)
        self._observer = observer
        self._refusals = RefusalCache(clock, self._clock_guard, minimum or MinimumVersions())
        self._queue = WriteQueue()
        self._due = DueBoards()
        self._bisection = Bisection()
        self._answerer = Answerer(applier, self._refusals, observer)
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

    def roll_over(self, boards: Collection[str]) -> None:
        """Soon commit the rollovers that are due on some boards, also if none of them has a submission.

        If that fails, the boards stay as they are.
        """
        self._due.add(boards)
        self._writing.wake()

    async def _tick(self) -> None:
        """Commit the waiting submissions, batch by batch. One bad submission must not lose the others."""
        while (part := self._bisection.next_part()) or self._queue or self._due:
            batch = _Batch(self._queue, part, frozenset() if part else self._due.take())
            started = self._clock.monotonic()
            try:
                decision = await self._store.commit(batch.boards, batch.take, self._decide)
            except ScoreboardError as error:
                # If the store failed before it took a batch, refuse all that wait.
                for waiting in batch.waiting or self._queue.take_all():
                    waiting.refuse(error)
            except Exception as error:  # noqa: BLE001  # It may be of any kind: a constraint, a trigger, a bug.
                batch.take()
                if batch.due:
                    # One of these boards may be the cause: retry without them.
                    if (board := self._due.split(batch.due)) is not None:
                        self._writing.failures.report(error, board=board)
                    self._bisection.retry(batch.waiting)
                    continue
                alone = self._bisection.split(batch.waiting)
                if alone is not None:
                    action = alone.submission.action
                    self._writing.failures.report(error, board=action.board, action=action.id)
                    alone.refuse(InternalError())
            else:
                self._bisection.note_success(batch.boards)
                with self._writing.failures.catch(part="observer"):
                    seconds = self._clock.monotonic() - started
                    if batch.waiting:
                        self._observer.committed(len(batch.waiting), decision.accepted, seconds)
                # An error here must not have the batch written again.
                with self._writing.failures.catch(part="answers"):
                    self._answerer.put(batch.waiting, decision, started)

    def _decide(self, batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        """Decide about a batch. The store calls this, under the lock. Raises ClockUnsure."""
        self._clock_guard.check(facts.reading_us)
        return decide_batch(batch, facts, self._inputs)
