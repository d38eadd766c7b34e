"""The comparison of the ranking with the ledger, for `verify`."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Snapshot, Standing
from scoreboard.ports.ranking import Ranking
from scoreboard.services.apply import PAGE_SIZE, Applier
from scoreboard.services.verify_ledger import LedgerFold, OrderKey, StoredStandings

TRIES: Final = 20
PAUSE_SECONDS: Final = 0.1
"""A page that differs or is behind is read again, since a commit is in the store a moment before it is in the
ranking. What still differs after these two seconds is a difference."""


class RankingComparison:
    """Compares each page of the ranking with the order of the ledger's fold, at the version of that page.

    If the ranking changes between two pages, the fold is continued to its version.
    """

    def __init__(self, stored: StoredStandings, ledger: LedgerFold, ranking: Ranking) -> None:
        self._stored = stored
        self._ledger = ledger
        self._ranking = ranking
        self._applier = Applier(stored.store, ranking)

    async def compare(self) -> list[str]:
        """Return the differences of the first page with any. Raises StoreUnavailable, RankingUnavailable."""
        differences: list[str] = []
        order = self._ledger.sort()
        offset = 0
        while offset <= len(order) and not differences:
            differences = await self._compare_page(order, offset)
            offset += PAGE_SIZE
            self._stored.report("ranking", min(offset, len(order)), len(order))
        return differences

    async def _compare_page(self, order: Sequence[OrderKey], offset: int) -> list[str]:
        """Return what still differs after commits in progress have had time to reach the ranking."""
        differences: list[str] = []
        for number in range(TRIES):
            if number:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                page = await self._ranking.read(self._stored.board, ALL_TIME, Page(PAGE_SIZE, offset))
            except RankingUnavailable:
                if number == TRIES - 1:
                    raise
                differences = await self._heal()
                continue
            if page.version < self._ledger.version:
                differences = await self._heal()
                differences.append(f"ranking: stays at version {page.version}, behind {self._ledger.version}")
                continue
            if page.version > self._ledger.version:
                await self._stored.update()
                if page.version > self._stored.version:
                    return [
                        f"ranking: is at version {page.version}, beyond the board's, {self._stored.version}"
                    ]
                if differences := await self._ledger.fold_to(page.version):
                    return differences
            expected = [self._ledger.standings[player] for *_, player in order[offset : offset + PAGE_SIZE]]
            differences = self._differences(page, len(order), expected)
            if not differences:
                break
            await self._stored.update_names(
                standing.player
                for entry, standing in zip(page.entries, expected, strict=False)
                if entry.name != self._stored.standings[standing.player].name
            )
        return differences

    async def _heal(self) -> list[str]:
        """Heal the ranking as a server does. A copy of another history is reported, not dropped."""
        board = self._stored.board
        copy = await self._ranking.copy_state(board)
        head = await self._stored.head()
        if copy.version > head.version:
            return [f"ranking: is at version {copy.version}, beyond the board's, {head.version}"]
        if not await self._applier.is_same_history(board, copy, head):
            return [
                f"ranking: its event {copy.version} is not the one in the ledger: it copies another history"
            ]
        await self._applier.heal(board)
        return []

    def _differences(self, page: Snapshot, listed: int, expected: Sequence[Standing]) -> list[str]:
        if page.reading_us != self._ledger.reading_us:
            found_us, expected_us = page.reading_us, self._ledger.reading_us
            return [f"ranking: version {page.version} is of {found_us}, but its event of {expected_us}"]
        if page.players != listed or len(page.entries) != len(expected):
            return [f"ranking: has {page.players} players, but {listed} are listed"]
        return list(_compare_entries(page, expected, self._stored.standings))


def _compare_entries(
    page: Snapshot, expected: Sequence[Standing], newest: Mapping[int, Standing]
) -> Iterator[str]:
    for entry, standing in zip(page.entries, expected, strict=True):
        ranked = (entry.user_id, entry.score, entry.reached_at_us)
        if ranked != (standing.user_id, standing.score, standing.reached_at_us):
            yield (
                f"ranking: rank {entry.rank} is {entry.user_id} with {entry.score}, "
                f"but should be {standing.user_id} with {standing.score}"
            )
        elif entry.name != newest[standing.player].name:
            yield (
                f"ranking: {entry.user_id} is named {entry.name}, but should be "
                f"{newest[standing.player].name}"
            )
