"""Verification of a board: its events have no gap and fold to the standings, whose order is the ranking.

It takes no lock and runs no long transaction. The standings are read page by page, up to a version that the
board has really had, and the ledger up to that version never changes. Verification writes nothing, except
that it heals a ranking that is behind, as a server does.
"""

from dataclasses import dataclass
from typing import Final

from scoreboard.ports.progress import Report
from scoreboard.ports.ranking import Ranking
from scoreboard.ports.store import Store
from scoreboard.services.verify_ledger import LedgerFold
from scoreboard.services.verify_notices import clock_notices
from scoreboard.services.verify_ranking import RankingComparison
from scoreboard.services.verify_standings import StoredStandings, check_head, compare_standings

MAX_DIFFERENCES: Final = 100
"""Differences that are listed. With more of them the fault is general, and a longer list is no help."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one board. The board is correct if there are no differences."""

    board: str
    version: int
    players: int
    differences: tuple[str, ...]
    notices: tuple[str, ...] = ()
    """Events that were written while the clock ran ahead. They are not differences."""


async def verify(store: Store, ranking: Ranking | None, board: str, report: Report) -> Verdict:
    """Verify one board, also while it is written to. Without a ranking, only the store is verified.

    Raises StoreUnavailable, RankingUnavailable.
    """
    stored = StoredStandings(store, board, report)
    await stored.update()
    ledger = LedgerFold(stored, (await store.definitions())[board])
    differences = await ledger.fold_to(stored.version)
    for period, standings in stored.periods.items():
        differences += compare_standings(ledger.periods[period], standings, period)
    differences += ledger.compare_past_periods()
    if ranking is not None and not differences:
        # A ranking cannot be compared with a ledger that is itself wrong.
        differences += await RankingComparison(stored, ledger, ranking).compare()
    differences += await check_head(stored)
    listed = differences[:MAX_DIFFERENCES]
    if len(differences) > len(listed):
        listed.append(f"… and {len(differences) - len(listed)} more")
    notices = await clock_notices(store, board, ledger.set_back_version) if ledger.set_back_version else ()
    return Verdict(board, stored.version, len(stored.all_time), tuple(listed), tuple(notices))
