"""The one loop that brings a copy up to the store's version.

Start-up, a crash between commit and apply, an apply that found a gap, a flushed copy, another process that wrote to the
store: all the same. Once a second the versions are compared, so a lost notification costs a second at the most.
"""

import asyncio
from collections import defaultdict
from typing import Final

import structlog

from scoreboard.errors import RankingUnavailable, StoreUnavailable
from scoreboard.interfaces import Ranking, Store

PAGE_SIZE: Final = 5_000
"""Standings a page: some ten milliseconds of work, so that nothing else on the event loop waits longer."""

INTERVAL_SECONDS: Final = 1.0
"""How often the versions are compared."""

log = structlog.get_logger()


class Healing:
    """Keeps the copies of the boards at the store's version."""

    def __init__(self, store: Store, ranking: Ranking, boards: tuple[str, ...]) -> None:
        self._store = store
        self._ranking = ranking
        self._boards = boards
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.lost: frozenset[str] = frozenset()
        """The partners that could not be reached when the versions were last compared."""

    async def run(self) -> None:
        """Compare and heal every second, for ever. A partner that is gone is asked again in the next second."""
        while True:
            lost = set()
            for board in self._boards:
                try:
                    await self.heal(board)
                except StoreUnavailable:
                    lost.add("store")
                except RankingUnavailable:
                    lost.add("ranking")
            if self.lost != lost:
                log.warning("partners lost", partners=sorted(lost)) if lost else log.info("all partners are back")
                self.lost = frozenset(lost)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def heal(self, board: str) -> None:
        """Return when the copy is readable and at the version that the store had when it was asked, or later.

        Raises StoreUnavailable, RankingUnavailable.
        """
        async with self._one_at_a_time[board]:
            progress = await self._ranking.progress(board)
            head = (await self._store.heads())[board]
            if progress.version > head.version:
                # The progress was read first, so the store has really gone back: a restored backup.
                log.warning("the copy is ahead of its store: filling it anew", board=board)
                await self._ranking.drop(board)
            healed = 0
            while not (progress := await self._ranking.progress(board)).readable or progress.version < head.version:
                change = await self._store.changes(board, progress.version, PAGE_SIZE)
                await self._ranking.apply(change)
                healed += len(change.standings)
                if healed % (20 * PAGE_SIZE) == 0 and healed:
                    log.info("filling the ranking", board=board, standings=healed, version=change.to_version)
            if healed:
                log.info("the ranking has caught up", board=board, standings=healed, version=progress.version)
