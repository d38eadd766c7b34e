"""Port of the ranking: an ordered copy of each board."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from scoreboard.domain.queries import Query
from scoreboard.domain.standings import Change, Snapshot


@dataclass(frozen=True, slots=True)
class CopyState:
    """The version of a copy, and whether it is a state of the board (`readable`) or still being filled.

    `reading_us` is that of its newest event if it is readable: it shows which of two histories the copy has.
    `copy_id` is empty without a copy. After a drop or a loss, the next copy has another id.
    """

    version: int
    readable: bool
    reading_us: int = field(default=0, compare=False)
    copy_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The version of a copy after a call of `apply`, and whether that call has changed the copy (`moved`).

    `ranks` has the rank of each listed player of the change in each open period, by period and player key. If
    the change was the next STEP of the copy, each rank is the one right after the player's own event.
    Otherwise it is the rank in the copy as it is now. `ranks` is empty while the copy is older than the
    change or not readable.
    """

    version: int
    readable: bool
    moved: bool
    ranks: Mapping[tuple[str, int], int]


class Ranking(Protocol):
    """An ordered copy of each board. It knows its version, and names the boards that have changed.

    The copy of a board has an order for each open period, and one version for all of them.
    """

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...

    async def copy_state(self, board: str) -> CopyState:
        """Return the state of the copy. Without one: version 0, not readable. Raises RankingUnavailable."""

    async def copy_states(self, boards: Collection[str]) -> Mapping[str, CopyState]:
        """Return the states of several copies. Those that cannot be read now are missing."""

    async def apply(self, change: Change, copy_id: str | None = None) -> ApplyResult:
        """Apply a change in one atomic step, and only in order.

        - If the copy is older than `from_version`, there is a gap: nothing changes.
        - If `copy_id` is given and the board has another copy, nothing changes either. Each
          page that fills a copy is for the copy that has the earlier pages.
        - If the copy is at `to_version` or newer, there is nothing to do, except that a LAST_PAGE up to
          exactly that version makes it readable.
        - Otherwise the change is applied. A standing is absolute, and never replaces one of a later version.
          So a part of the change may have been applied before, and another process may apply the same pages.
        - The copy then has the periods of the change. It drops all others, and skips their standings.

        A LAST_PAGE, even an empty one, makes a copy readable. After a PAGE, the copy is not readable until a
        LAST_PAGE. Until then it refuses a STEP: a commit has only the standings of its own players, and not
        those of the missing pages. Raises RankingUnavailable.
        """

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        """Answer a query about a board in an open period, in one atomic read.

        The period is `all`, an id, or a kind such as `week` for the one that is open in the copy.
        Raises RankingUnavailable, also while the copy is not readable (see `apply`), and for other periods.
        """

    async def drop(self, board: str) -> None:
        """Delete the copy: it is at version 0 and not readable. Raises RankingUnavailable."""

    def changed_boards(self) -> AsyncIterator[str]:
        """Yield each board at once when its copy has changed. A process uses one iterator."""
