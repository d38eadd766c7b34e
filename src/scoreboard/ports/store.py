"""Port of the store: boards, players, the ledger, and the standings, which are the fold of the ledger."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, Self

from scoreboard.domain.boards import Board
from scoreboard.domain.decisions import Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event, Head
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.queries import Query
from scoreboard.domain.standings import Change, Snapshot, Standing
from scoreboard.domain.submissions import Submission

Take = Callable[[], Sequence[Submission]]
"""Return the batch. Called once, under the lock."""

DecideBatch = Callable[[Sequence[Submission], BatchFacts], Decision]


class Store(Protocol):
    """The source of truth. The ranking is a copy of its standings. All methods raise StoreUnavailable."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...

    async def register_boards(self, boards: Sequence[Board]) -> None:
        """Add the rows of boards that have none, and redefine those that have no event.

        Raises SchemaError if the definition of a board with events differs, or is unknown to this program.
        """

    async def commit(self, boards: Collection[str], take: Take, decide_batch: DecideBatch) -> Decision:
        """Commit a batch of submissions in one transaction. Each board has one writer at a time.

        1. Lock the boards. Only then call `take`, once, from any thread: the batch grows while this commit
           waits. The batch is for these boards, and has at most one submission per player.
        2. Read the facts, with a snapshot newer than the lock. They have the heads of the boards of the batch
           and of all locked boards with periods, so that an empty batch can begin a period.
        3. Call `decide_batch`. It is pure. It is called again with new facts if a commit on another board has
           changed a player meanwhile.
        4. Append the events, apply the changes, and return once the commit is durable.

        Raises StoreUnavailable if nothing was committed, OutcomeUnknown if that is not known. Any other
        error, also of `take` or `decide_batch`, is passed on, and nothing is changed. Usually one submission
        of the batch causes it: the others may succeed without it.
        """

    def reconnect(self) -> None:
        """Use new connections from now on: the server may have been replaced."""

    async def heads(self) -> Mapping[str, Head]:
        """Return the head of each board, with its open periods and the version of its newest correction."""

    async def definitions(self) -> Mapping[str, Definition]:
        """Return the definition of each board, also of those that are not in the catalog.

        Raises SchemaError.
        """

    async def check_writes(self) -> None:
        """Raise StoreUnavailable while writes are known to fail, for example on a full disk.

        If the last write has failed, a driver may try one that changes nothing.
        """

    async def changes(self, board: str, after: int, limit: int) -> Change:
        """Return the standings that changed after a version, in the order of their versions.

        They are those of the open periods (`Change.periods`), `limit` and a few more if an event has changed
        the standings of several periods: a page has all or none of them. The change is a PAGE if there may be
        more of them. Otherwise it is a LAST_PAGE, up to the board's head. A copy that has applied all pages
        equals the board at the `to_version` of the last one, even if there were commits meanwhile: a standing
        that has changed again is on a later page again.
        """

    async def standings(self, board: str, period: str, after: int, limit: int) -> Sequence[Standing]:
        """Return the standings of a period, also of one that is over, that changed after a version.

        They are at most `limit`, in the order of their versions.
        """

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        """Answer a query about a board in a period, in one atomic read.

        The period is `all`, an id, or a kind such as `week` for the one that is open. If none of the kind has
        begun, the answer has no entries, and the kind as its period.
        The period may be over, or have no standings. `Snapshot.version` is that of the board, and for a
        period that is over, of the last event that changed its standings (0 if there are none). `Around` has
        no entries for a player who is not listed.

        Ranks are counted: that takes about 50 ms for each million players ahead of the last row.
        """

    async def player_keys(self, user_ids: Collection[str]) -> Mapping[str, int]:
        """Return the integer keys of those of the players who are known. Erased players are unknown."""

    async def events(self, board: str, after: int, limit: int) -> Sequence[Event]:
        """Return the events of a board after a version, at most `limit`, in order."""
