"""The boards that wait for a commit because one of their periods may have ended."""

from collections.abc import Collection
from typing import Final

BOARDS_AT_ONCE: Final = 32
"""Boards of one commit, whose heads it reads one by one: submissions in the same commit wait for about 10 ms.
At midnight, the days of all boards may end."""


class DueBoards:
    """The boards whose rollovers are still to be committed, a few at once."""

    def __init__(self) -> None:
        self._boards: dict[str, None] = {}
        self._at_once = BOARDS_AT_ONCE

    def __bool__(self) -> bool:
        return bool(self._boards)

    def add(self, boards: Collection[str]) -> None:
        """Add boards, in their order."""
        self._boards.update(dict.fromkeys(boards))

    def take(self) -> frozenset[str]:
        """Remove and return the next boards."""
        taken = tuple(self._boards)[: self._at_once]
        for board in taken:
            del self._boards[board]
        if not self._boards:
            self._at_once = BOARDS_AT_ONCE
        return frozenset(taken)

    def split(self, failed: frozenset[str]) -> str | None:
        """Add boards again whose commit failed, to be committed one by one. Return the board if it is one."""
        if len(failed) > 1:
            self.add(failed)
            self._at_once = 1
            return None
        return next(iter(failed), None)
