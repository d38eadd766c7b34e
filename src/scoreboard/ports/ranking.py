"""Port of the ranking: an ordered copy of each board."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from scoreboard.domain.standings import Change, Snapshot


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a copy is, and whether it is a state of the board (`readable`) or still being filled.

    `at_us` is the time of its newest event, where it is readable: of two histories it tells which one the copy has.
    `copy` names this very copy: one that is begun after a drop or a loss has another name. It is empty where there is
    none.
    """

    version: int
    readable: bool
    at_us: int = field(default=0, compare=False)
    copy: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """Where a copy stands after a change was offered to it, and whether that very call has moved it.

    `ranks` gives each listed player of the change a rank: the one at the version of its own standing where a STEP
    followed directly on the copy, else the one at the copy's version. It is empty while the copy lies before the change
    or is not readable.
    """

    version: int
    readable: bool
    moved: bool
    ranks: Mapping[int, int]


class Ranking(Protocol):
    """An ordered copy of each board, which says how far it is and that it has changed."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...

    async def progress(self, board: str) -> Progress:
        """How far the copy is: version 0, not readable, where there is none. Raises RankingUnavailable."""

    async def apply(self, change: Change, copy: str | None = None) -> Applied:
        """Apply a change in one atomic step, and only in order.

        - The copy stands before `from_version`: there is a gap; change nothing and answer where it stands.
        - `copy` (`Progress.copy`) is given, and the board's copy is another one: likewise. Each page that fills a copy
          says so, since the pages before it went to that very one.
        - It stands at `to_version` or later: nothing to do, but that a LAST_PAGE up to right there makes it readable.
        - Else apply. A standing is absolute and never replaces one of a later version, so it does not matter that a
          part of the change was applied already, or that another process applies the same pages.

        A copy is readable once a LAST_PAGE is in, also an empty one, and no longer once a PAGE is. One that is not
        readable takes no STEP: a commit cannot mend what the pages before it have left out.
        Raises RankingUnavailable.
        """

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        """`limit` entries from rank `offset` + 1 on, in one atomic read.

        Raises RankingUnavailable, also while the copy is not readable (see `apply`).
        """

    async def rank(self, board: str, player: int) -> int | None:
        """The rank of a player now; None where it is not listed. Raises RankingUnavailable as `page` does."""

    async def drop(self, board: str) -> None:
        """Forget the copy: it stands at version 0 and is not readable. Raises RankingUnavailable."""

    def changed_boards(self) -> AsyncIterator[str]:
        """Name boards whose copy has changed, as soon as it has: a hint, never the data. One iterator a process."""
