"""Which boards have changed since they were last asked about: many changes of one board are one."""

import asyncio
from collections.abc import AsyncIterator, Iterable


class ChangedBoards:
    """Filled by a driver, emptied by the one who follows it."""

    def __init__(self) -> None:
        self._boards: set[str] = set()
        self._wake = asyncio.Event()

    def add(self, boards: Iterable[str]) -> None:
        """These have changed."""
        self._boards.update(boards)
        self._wake.set()

    async def follow(self) -> AsyncIterator[str]:
        """Name each, as soon as it has changed, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._boards:
                yield self._boards.pop()
