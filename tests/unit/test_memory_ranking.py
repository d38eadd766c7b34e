"""The ranking in memory removes the rows of periods that are over without keeping the event loop."""

import asyncio
import gc

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.standings import ChangeKind
from scoreboard.ranking import memory
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.memory_view import View
from tests.limits import LIMIT_SECONDS
from tests.making import DEFINITIONS, change, standing

FRIDAY, SATURDAY = "2026-11-27", "2026-11-28"
ROWS = 1_000


async def test_the_rows_of_a_period_that_is_over_are_removed_in_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "SLICE_SECONDS", -1.0)
    async with MemoryRanking(DEFINITIONS) as ranking:
        rows = [standing(n, n, n, period=period) for n in range(1, ROWS + 1) for period in (ALL_TIME, FRIDAY)]
        await ranking.apply(change(ChangeKind.LAST_PAGE, 0, ROWS, *rows, periods=(ALL_TIME, FRIDAY)))
        views = [one for one in gc.get_objects() if isinstance(one, View)]
        await ranking.apply(change(ChangeKind.STEP, ROWS, ROWS + 1, periods=(ALL_TIME, SATURDAY)))
        counts = [2 * ROWS]
        async with asyncio.timeout(LIMIT_SECONDS):
            while counts[-1] > ROWS:
                await asyncio.sleep(0)
                counts.append(sum(view.players for view in views))
    # Other tasks run after each slice.
    assert set(counts) == set(range(ROWS, 2 * ROWS + 1, memory.SLICE_ROWS))
