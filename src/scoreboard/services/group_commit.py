"""Group commit: what waits is written together, one submission of a player a batch, with one writer at a time.

There are no timers. A batch is taken only once its store holds the lock of its boards, so while one is written, or
another process has its turn, the next one grows: turns are serialized, not requests. Batch n + 1 is written while n is
applied to the ranking; applies go in order. A submission is answered when its batch is committed and applied, or
committed and `ANSWER_WITHOUT_RANK_SECONDS` have passed. A batch that fails for an unexpected reason is split until the
submission that causes it is alone.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Final

from scoreboard.domain.boards import RateLimit
from scoreboard.domain.decisions import Decision, Refusal, SubmissionFacts
from scoreboard.domain.errors import (
    InternalError,
    PlayerBusy,
    QueueFull,
    RateLimited,
    ScoreboardError,
    StoreUnavailable,
)
from scoreboard.domain.events import Event
from scoreboard.domain.rules import decide_batch
from scoreboard.domain.submissions import Submission
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.store import Store, Take
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.failures import Failures
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.refusal_cache import RememberedRefusals

BATCH_SIZE: Final = 512
"""Submissions of one commit: past a few hundred, a larger one is no faster and only makes its first one wait."""

QUEUE_SIZE: Final = 4_096
"""Waiting submissions of all players: about a second's work. More would wait longer than their senders do."""

PLAYER_QUEUE_SIZE: Final = 32
"""Waiting submissions of one player, so that nobody fills the queue alone."""

ANSWER_WITHOUT_RANK_SECONDS: Final = 0.25
"""How long an answer waits for the ranking. The score is safe by then: only its rank is missing."""

UNAPPLIED_BATCHES: Final = 16
"""Batches that wait for the ranking. Further ones get no rank, so that a slow ranking does not fill the memory."""

FAILED_ALONE: Final = 32
"""Submissions of a board that may fail alone. If none has passed by then, the cause is not a single submission: the
board's remaining submissions in the batch are refused untried, since each attempt delays all others."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event of the ledger, and the player's rank where it is known in time."""

    event: Event
    rank: int | None
    replayed: bool


@dataclass(slots=True, eq=False)
class _Waiting:
    submission: Submission
    answer: asyncio.Future[Receipt]


Apply = Callable[[Decision], Awaitable[Mapping[int, int]]]


class GroupCommit:
    """The queue before the store. `submit` from one event loop, while `run` runs there."""

    def __init__(
        self, store: Store, apply: Apply, limit: RateLimit, clock: Clock, observer: Observer = NULL_OBSERVER
    ) -> None:
        self._store = store
        self._observer = observer
        self._apply = apply
        self._limit = limit
        self.clock_guard = ClockGuard(clock)
        self._queue = _Queue()
        self._arrived = asyncio.Event()
        self._refusals = RememberedRefusals(clock, self.clock_guard)
        self._failures = Failures("commit", observer)
        self.loop = BackgroundLoop("commit", self._tick, observer)
        self._in_order = asyncio.Lock()
        self._unapplied = 0

    @property
    def depth(self) -> int:
        """How many submissions wait."""
        return len(self._queue)

    async def submit(self, submission: Submission) -> Receipt:
        """Wait until the submission is in the ledger.

        Raises what refused it: RateLimited, ScoreOutOfRange, IdempotencyKeyReused, or an error of `action_rules`;
        PlayerBusy or QueueFull before it is processed; StoreUnavailable or ClockUnsure if it was not written;
        OutcomeUnknown if it may have been; InternalError if it makes its batch fail.
        """
        try:
            if submission.idempotency_digest is None:
                self._refusals.check(submission.user_id)
            answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
            self._queue.put(_Waiting(submission, answer))
            self._arrived.set()
            return await answer
        except ScoreboardError as error:
            self._observer.refused(error.code)
            raise

    async def apply(self, decision: Decision) -> None:
        """Offer to the ranking, in its turn, what was committed by others than `run`."""
        async with self._in_order:
            await self._apply(decision)

    async def _tick(self) -> None:
        """Write batch after batch, until it is cancelled."""
        async with asyncio.TaskGroup() as finishing:
            while True:
                while self._queue:
                    await self._write(finishing)
                self._arrived.clear()
                await self._arrived.wait()

    def _decide(self, batch: Sequence[Submission], facts: Sequence[SubmissionFacts]) -> Decision:
        """Check the clock. Raises ClockUnsure."""
        self.clock_guard.check(facts[0].at_us)
        return decide_batch(batch, facts, self._limit)

    async def _write(self, finishing: asyncio.TaskGroup) -> None:
        batch: list[_Waiting] = []
        boards = self._queue.boards()

        def take() -> Sequence[Submission]:
            batch.extend(self._queue.take(BATCH_SIZE, boards))
            return [waiting.submission for waiting in batch]

        try:
            await self._commit(boards, take, batch, finishing)
        except Exception as error:  # noqa: BLE001  # One bad submission must not lose the others.
            await self._isolate(batch or self._queue.take(BATCH_SIZE, boards), error, finishing)

    async def _isolate(
        self, batch: Sequence[_Waiting], error: Exception, finishing: asyncio.TaskGroup
    ) -> None:
        """Split a failed batch in halves, repeatedly, until each submission that makes it fail is alone."""
        failed, passed = Counter[str](), set[str]()
        untried = self._split(batch, error)
        while untried:
            part: list[_Waiting] = []
            for waiting in untried.pop():
                board = waiting.submission.board
                if failed[board] >= FAILED_ALONE and board not in passed:
                    _refuse(waiting.answer, StoreUnavailable())
                else:
                    part.append(waiting)
            boards = {waiting.submission.board for waiting in part}
            submissions = [waiting.submission for waiting in part]
            try:
                if part:
                    await self._commit(boards, partial(list, submissions), part, finishing)
                passed |= boards
            except Exception as again:  # noqa: BLE001  # As above.
                if len(part) == 1:
                    failed.update(boards)
                untried += self._split(part, again)

    def _split(self, batch: Sequence[_Waiting], error: Exception) -> list[Sequence[_Waiting]]:
        """Return the halves of a failed batch, the first one last. Refuse a single submission."""
        if len(batch) > 1:
            middle = len(batch) // 2
            return [batch[middle:], batch[:middle]]
        for failed in batch:
            self._failures.report(error, board=failed.submission.board, action=failed.submission.action.id)
            _refuse(failed.answer, InternalError())
        return []

    async def _commit(
        self, boards: Collection[str], take: Take, batch: Sequence[_Waiting], finishing: asyncio.TaskGroup
    ) -> None:
        """Write a batch, which may be collected only when the store takes it. Unexpected errors are passed on."""
        started = self._refusals.now()
        try:
            decision = await self._store.commit(boards, take, self._decide)
        except ScoreboardError as error:
            # Without the lock, nothing was taken: refuse all waiting submissions.
            for waiting in batch or self._queue.take_all():
                _refuse(waiting.answer, error)
        else:
            finishing.create_task(self._finish(batch, decision, started, self._refusals.now() - started))

    async def _finish(
        self, batch: Sequence[_Waiting], decision: Decision, started: float, seconds: float
    ) -> None:
        """Answer what is committed. Nothing that fails here may have it written again."""
        with self._failures.catch(part="observer"):
            self._observer.committed(len(batch), len(decision.events), seconds)
        for waiting, outcome in zip(batch, decision.outcomes, strict=True):
            if isinstance(outcome, Refusal):
                if isinstance(outcome.error, RateLimited):
                    self._refusals.remember(waiting.submission.user_id, started, outcome.error.retry_after_us)
                _refuse(waiting.answer, outcome.error)
        if self._unapplied >= UNAPPLIED_BATCHES:
            # The ranking is slower than the store. The next batch that it is offered finds the gap, and has it healed.
            _answer(batch, decision, {})
            return
        self._unapplied += 1
        late = asyncio.get_running_loop().call_later(
            ANSWER_WITHOUT_RANK_SECONDS, _answer, batch, decision, {}
        )
        ranks: Mapping[int, int] = {}
        try:
            # A missed change is repaired by the next batch, which finds the gap, or by `healing`.
            with self._failures.catch(part="ranking"):
                async with self._in_order:
                    ranks = await self._apply(decision)
        finally:
            self._unapplied -= 1
            late.cancel()
            _answer(batch, decision, ranks)


def _answer(batch: Sequence[_Waiting], decision: Decision, ranks: Mapping[int, int]) -> None:
    for waiting, outcome in zip(batch, decision.outcomes, strict=True):
        if not isinstance(outcome, Refusal) and not waiting.answer.done():
            rank = ranks.get(outcome.event.player)
            waiting.answer.set_result(Receipt(outcome.event, rank, outcome.replayed))


def _refuse(answer: asyncio.Future[Receipt], error: ScoreboardError) -> None:
    if not answer.done():
        answer.set_exception(error)


class _Queue:
    """First come, first served, one of a player a turn. Filled by the event loop, taken from by a store's thread."""

    def __init__(self) -> None:
        self._players: dict[str, deque[_Waiting]] = {}
        self._turns: deque[str] = deque()
        self._boards = Counter[str]()
        self._length = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._length

    def boards(self) -> frozenset[str]:
        """Those that somebody waits for."""
        with self._lock:
            return frozenset(+self._boards)

    def put(self, waiting: _Waiting) -> None:
        """Raises QueueFull, PlayerBusy."""
        user_id = waiting.submission.user_id
        with self._lock:
            if self._length >= QUEUE_SIZE:
                raise QueueFull
            own = self._players.get(user_id)
            if own is None:
                self._players[user_id] = deque((waiting,))
                self._turns.append(user_id)
            elif len(own) < PLAYER_QUEUE_SIZE:
                own.append(waiting)
            else:
                raise PlayerBusy
            self._boards[waiting.submission.board] += 1
            self._length += 1

    def take(self, most: int, boards: Collection[str]) -> list[_Waiting]:
        """The next batch for these boards: whoever has more waiting takes a place at the end.

        Those of one player keep their order, so whoever waits for another board first keeps the place.
        """
        with self._lock:
            batch: list[_Waiting] = []
            passed_over: list[str] = []
            for _ in range(len(self._turns)):
                if len(batch) == most:
                    break
                user_id = self._turns.popleft()
                own = self._players[user_id]
                if own[0].submission.board not in boards:
                    passed_over.append(user_id)
                    continue
                batch.append(own.popleft())
                if own:
                    self._turns.append(user_id)
                else:
                    del self._players[user_id]
            self._turns.extendleft(reversed(passed_over))
            self._boards.subtract(waiting.submission.board for waiting in batch)
            self._length -= len(batch)
            return batch

    def take_all(self) -> list[_Waiting]:
        """Everybody at once."""
        everybody: list[_Waiting] = []
        while batch := self.take(QUEUE_SIZE, self.boards()):
            everybody += batch
        return everybody
