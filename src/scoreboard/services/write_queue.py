"""The queue of submissions that wait for the next commit."""

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from scoreboard.domain.errors import PlayerBusy, QueueFull, ScoreboardError
from scoreboard.domain.events import Event
from scoreboard.domain.submissions import Submission

QUEUE_SIZE: Final = 4_096
"""Waiting submissions of all players: about a second's work. Clients would not wait for more."""

PLAYER_QUEUE_SIZE: Final = 32
"""Waiting submissions of one player, so that one player cannot fill the queue."""


@dataclass(frozen=True, slots=True)
class PeriodResult:
    """A player's score in a period, and the rank if it was known in time."""

    score: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event of the ledger, with the player's rank if it was known in time.

    `replayed` is True if an earlier submission with the same idempotency key made the event. `periods` are
    the player's results in the open periods of a board that has some. In a repeat, they are those of now.
    """

    event: Event
    rank: int | None
    replayed: bool
    periods: Mapping[str, PeriodResult] | None = None


@dataclass(slots=True, eq=False)
class WaitingSubmission:
    """A submission, and the future of its receipt or error."""

    submission: Submission
    answer: asyncio.Future[Receipt]

    def accept(self, receipt: Receipt) -> None:
        """Answer with a receipt, unless there is an answer already."""
        if not self.answer.done():
            self.answer.set_result(receipt)

    def refuse(self, error: ScoreboardError) -> None:
        """Answer with an error, unless there is an answer already."""
        if not self.answer.done():
            self.answer.set_exception(error)


class WriteQueue:
    """First come, first served, with one submission of a player in a batch.

    The event loop fills it. A thread of the store may take from it.
    """

    def __init__(self) -> None:
        self._players: dict[str, deque[WaitingSubmission]] = {}
        self._order: deque[str] = deque()
        """The players with waiting submissions. Each is in it once."""
        self._boards = Counter[str]()
        self._length = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._length

    def boards(self) -> frozenset[str]:
        """Return the boards that have waiting submissions."""
        with self._lock:
            return frozenset(+self._boards)

    def put(self, waiting: WaitingSubmission) -> None:
        """Append a submission. Raises QueueFull, PlayerBusy."""
        user_id = waiting.submission.user_id
        with self._lock:
            if self._length >= QUEUE_SIZE:
                raise QueueFull
            own = self._players.get(user_id)
            if own is None:
                self._players[user_id] = deque((waiting,))
                self._order.append(user_id)
            elif len(own) < PLAYER_QUEUE_SIZE:
                own.append(waiting)
            else:
                raise PlayerBusy
            self._boards[waiting.submission.board] += 1
            self._length += 1

    def take(self, limit: int, boards: Collection[str]) -> list[WaitingSubmission]:
        """Remove and return the next batch for these boards.

        A player with more submissions moves to the end. The submissions of one player keep their order: a
        player whose next one is for another board is passed over, and keeps the position.
        """
        with self._lock:
            batch: list[WaitingSubmission] = []
            passed_over: list[str] = []
            for _ in range(len(self._order)):
                if len(batch) == limit:
                    break
                user_id = self._order.popleft()
                own = self._players[user_id]
                if own[0].submission.board not in boards:
                    passed_over.append(user_id)
                    continue
                batch.append(own.popleft())
                if own:
                    self._order.append(user_id)
                else:
                    del self._players[user_id]
            self._order.extendleft(reversed(passed_over))
            self._boards.subtract(waiting.submission.board for waiting in batch)
            self._length -= len(batch)
            return batch

    def take_all(self) -> list[WaitingSubmission]:
        """Remove and return all submissions."""
        everything: list[WaitingSubmission] = []
        while batch := self.take(QUEUE_SIZE, self.boards()):
            everything += batch
        return everything
