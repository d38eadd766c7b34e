"""Boards that have changed. Several changes of one board count as one."""

import asyncio
from collections.abc import AsyncIterator, Iterable


class ChangedBoards:
    """A set of boards that a driver adds to, and one follower takes from."""

    def __init__(self) -> None:
        self._boards: set[str] = set()
        self._wake = asyncio.Event()

    def add(self, boards: Iterable[str]) -> None:
        self._boards.update(boards)
        self._wake.set()

    async def follow(self) -> AsyncIterator[str]:
        """Yield each board as soon as it has changed. The iterator never ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._boards:
                yield self._boards.pop()
