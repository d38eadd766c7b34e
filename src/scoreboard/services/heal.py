"""The background loop that heals the copies of all boards, and finds out which servers are unavailable.

It covers all causes of a gap: a start, a crash before the apply, a flushed Redis, another process's commit.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import structlog

from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.ports.observer import NULL_OBSERVER, Observer
from scoreboard.ports.store import Store
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.resilience.shared_call import SharedCall
from scoreboard.services.apply import Applier, Positions
from scoreboard.services.minimum_versions import MinimumVersions

INTERVAL_SECONDS: Final = 1.0
"""Interval at which all boards are healed. A lost change hint delays a board by this time at most."""

PAUSE_SECONDS: Final = 0.2
"""Minimum time between two rounds, which query ranking and store for all boards. Any client can request one,
with a `Last-Event-ID` that is ahead. A flood of such requests causes five rounds a second."""

START_SECONDS: Final = 0.5
"""Limit of the healing before the start. Copies of about ten thousand players are filled in this time."""

log = structlog.get_logger()


class Healer:
    """Heals the copies of all boards that are behind or not readable, once a second.

    It finds them with one query of the store and one of the ranking, however many boards there are.
    """

    def __init__(
        self,
        store: Store,
        applier: Applier,
        minimum: MinimumVersions,
        boards: tuple[str, ...],
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        self._store = store
        self._applier = applier
        self._minimum = minimum
        self._boards = boards
        self._heal_all = SharedCall(self._heal_boards, pause_seconds=PAUSE_SECONDS)
        self.loop = BackgroundLoop("healing", self._tick, observer, woken=applier.large_gap)
        self.unavailable: frozenset[str] = frozenset()
        """The servers (`store`, `ranking`) that were unavailable when the boards were last healed."""

    async def prepare(self) -> None:
        """Heal as much as is possible in a short time, so that the first submissions already get ranks."""
        with self.loop.failures.catch(), suppress(TimeoutError, StoreUnavailable, RankingUnavailable):
            async with asyncio.timeout(START_SECONDS):
                for board, positions in (await self._applier.find_behind(self._boards)).items():
                    await self._applier.heal(board, positions)

    async def catch_up(self) -> None:
        """Heal all boards now. Return after a second if that takes longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL_SECONDS):
                await self._heal_all.run()

    async def _tick(self) -> float:
        await self._heal_all.run()
        return INTERVAL_SECONDS

    async def _heal_boards(self) -> None:
        unavailable: set[str] = set()
        # If the comparison fails, each board is compared and healed by itself.
        behind: Mapping[str, Positions | None] = dict.fromkeys(self._boards)
        has_read_heads = False
        with self.loop.failures.catch():
            try:
                behind = await self._applier.find_behind(self._boards)
                has_read_heads = True
            except StoreUnavailable:
                # One board shows whether the ranking is unavailable too.
                behind = dict.fromkeys(self._boards[:1])
        for board, positions in behind.items():
            with self.loop.failures.catch(board=board):
                unavailable |= await self._heal(board, positions)
        with self.loop.failures.catch():
            unavailable |= await self._check_store(has_read_heads=has_read_heads)
        if self.unavailable != unavailable:
            self.unavailable = frozenset(unavailable)
            if unavailable:
                log.warning("servers are unavailable", servers=sorted(unavailable))
            else:
                log.info("all servers are available again")

    async def _heal(self, board: str, positions: Positions | None) -> set[str]:
        """Heal a board. Return the server that did not answer. The ranking is queried first."""
        try:
            await self._applier.heal(board, positions)
        except StoreUnavailable:
            return {"store"}
        except RankingUnavailable:
            return {"ranking"}
        return set()

    async def _check_store(self, *, has_read_heads: bool) -> set[str]:
        """Return the store if it does not answer or refuses writes.

        The comparison reads the heads. If it has failed, this method reads them.
        """
        try:
            if not has_read_heads:
                self._minimum.update(await self._store.heads())
            await self._store.check_writes()
        except StoreUnavailable:
            return {"store"}
        return set()
