"""The comparison of the ranking with the ledger, for `verify`."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.ordering import ranks
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Snapshot, Standing
from scoreboard.ports.ranking import Ranking
from scoreboard.services.apply import PAGE_SIZE, Applier
from scoreboard.services.verify_ledger import LedgerFold, OrderKey
from scoreboard.services.verify_standings import StoredStandings

TRIES: Final = 20
PAUSE_SECONDS: Final = 0.1
"""A page that differs or is behind is read again, since a commit is in the store a moment before it is in the
ranking. What still differs after these two seconds is a difference."""

_NOT_VALUES: Final = 2
"""The last parts of an `OrderKey`, which order equal values: the tie order and the player."""


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
        for period in tuple(self._ledger.periods):
            order = self._ledger.sort(period)
            for offset in range(0, len(order) + 1, PAGE_SIZE):
                if differences := await self._compare_page(period, order, offset):
                    return [
                        difference if period == ALL_TIME else f"{period}: {difference}"
                        for difference in differences
                    ]
                self._stored.report("ranking", min(offset + PAGE_SIZE, len(order)), len(order))
        return []

    async def _compare_page(self, period: str, order: Sequence[OrderKey], offset: int) -> list[str]:
        """Return what still differs after commits in progress have had time to reach the ranking."""
        differences: list[str] = []
        for number in range(TRIES):
            if number:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                page = await self._ranking.read(self._stored.board, period, Page(PAGE_SIZE, offset))
            except RankingUnavailable:
                if period not in (await self._stored.head()).open_periods:
                    # It has ended meanwhile.
                    return []
                if number == TRIES - 1:
                    raise
                differences = await self._heal()
                continue
            if page.version < self._ledger.version:
                differences = await self._heal()
                differences.append(f"ranking: stays at version {page.version}, behind {self._ledger.version}")
                continue
            if differences := await self._fold_to(page.version):
                return differences
            standings = self._ledger.periods[period]
            expected = [standings[player] for *_, player in order[offset : offset + PAGE_SIZE]]
            differences = self._differences(page, order, offset, expected)
            if not differences:
                break
            await self._stored.update_names(
                standing.player
                for entry, standing in zip(page.entries, expected, strict=False)
                if entry.name != self._stored.all_time[standing.player].name
            )
        return differences

    async def _fold_to(self, version: int) -> list[str]:
        """Continue the fold to the version of the ranking, if that is newer."""
        if version > self._ledger.version:
            await self._stored.update()
            if version > self._stored.version:
                return [f"ranking: is at version {version}, beyond the board's, {self._stored.version}"]
        return await self._ledger.fold_to(version)

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

    def _differences(
        self, page: Snapshot, order: Sequence[OrderKey], offset: int, expected: Sequence[Standing]
    ) -> list[str]:
        if page.reading_us != self._ledger.reading_us:
            found_us, expected_us = page.reading_us, self._ledger.reading_us
            return [f"ranking: version {page.version} is of {found_us}, but its event of {expected_us}"]
        if page.players != len(order) or len(page.entries) != len(expected):
            return [f"ranking: has {page.players} players, but {len(order)} are listed"]
        values = [standing.values for standing in expected]
        # The first of the rows with equal values has their shared rank.
        first_rank = bisect_left(order, order[offset][:-_NOT_VALUES]) + 1 if expected else 0
        expected_ranks = ranks(self._ledger.definition, values, first_rank, offset)
        return list(_compare_entries(page, expected, expected_ranks, self._stored.all_time))


def _compare_entries(
    page: Snapshot,
    expected: Sequence[Standing],
    expected_ranks: Sequence[int],
    newest: Mapping[int, Standing],
) -> Iterator[str]:
    for entry, standing, rank in zip(page.entries, expected, expected_ranks, strict=True):
        ranked = (entry.user_id, entry.score, *entry.columns, entry.reached_at_us)
        if ranked != (standing.user_id, *standing.values, standing.reached_at_us):
            yield (
                f"ranking: rank {entry.rank} is {entry.user_id} with {entry.score}, "
                f"but should be {standing.user_id} with {standing.score}"
            )
        elif entry.rank != rank:
            yield f"ranking: {entry.user_id} has rank {entry.rank}, but should have {rank}"
        elif entry.name != newest[standing.player].name:
            yield (
                f"ranking: {entry.user_id} is named {entry.name}, but should be "
                f"{newest[standing.player].name}"
            )
