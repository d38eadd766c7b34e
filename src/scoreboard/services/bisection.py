"""The search for the submissions that make a batch fail, so that the others are committed."""

from collections import Counter
from collections.abc import Collection
from typing import Final

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.services.write_queue import WaitingSubmission

FAILED_ALONE: Final = 32
"""After this many failures of single submissions and no success, the board is the cause. Its other
submissions are refused untried, because each attempt delays all others."""


class Bisection:
    """The parts of failed batches that are still to be committed. A part that fails is split in halves."""

    def __init__(self) -> None:
        self._parts: list[list[WaitingSubmission]] = []
        self._failed_alone = Counter[str]()
        """For each board, the number of single submissions that failed."""
        self._working_boards: set[str] = set()

    def next_part(self) -> list[WaitingSubmission]:
        """Return the next part to commit. It is empty if there are no more parts."""
        while self._parts:
            part = []
            for waiting in self._parts.pop():
                board = waiting.submission.board
                if self._failed_alone[board] >= FAILED_ALONE and board not in self._working_boards:
                    waiting.refuse(StoreUnavailable())
                else:
                    part.append(waiting)
            if part:
                return part
        self._failed_alone.clear()
        self._working_boards.clear()
        return []

    def split(self, batch: list[WaitingSubmission]) -> WaitingSubmission | None:
        """Keep the halves of a batch that failed. Return its submission instead if it is the only one."""
        if len(batch) > 1:
            middle = len(batch) // 2
            self._parts += [batch[middle:], batch[:middle]]
            return None
        for waiting in batch:
            self._failed_alone[waiting.submission.board] += 1
            return waiting
        return None

    def retry(self, batch: list[WaitingSubmission]) -> None:
        """Keep a batch as it is, because something else made its commit fail."""
        if batch:
            self._parts.append(batch)

    def note_success(self, boards: Collection[str]) -> None:
        """Note that a part for these boards was committed."""
        self._working_boards.update(boards)
