"""Port of the store: the ledger, and the standings that are its fold."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, Self

from scoreboard.domain.boards import Board
from scoreboard.domain.decisions import Decision
from scoreboard.domain.events import Event, Head
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.standings import Change, Snapshot
from scoreboard.domain.submissions import Submission

Take = Callable[[], Sequence[Submission]]

DecideBatch = Callable[[Sequence[Submission], BatchFacts], Decision]


class Store(Protocol):
    """The truth: boards, players, the ledger and the standings that are its fold."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...

    async def register_boards(self, boards: Sequence[Board]) -> None:
        """Make a row for each board that has none. Repeats change nothing.

        Raises StoreUnavailable.
        """

    async def commit(self, boards: Collection[str], take: Take, decide_batch: DecideBatch) -> Decision:
        """Lock, take, read, decide, append, commit: one atomic turn of the one writer that a board has at a time.

        1. Lock the boards; only then call `take` (once, from any thread): while this turn waits, its batch grows.
           What it takes is for these boards alone, and at most one submission of a player.
        2. Read the facts of the batch, with a snapshot newer than the lock.
        3. Call `decide_batch`. It is pure, and called again with new facts if a player's `seq` has changed since,
           by a commit on another board.
        4. Append all of `events` and `changes` and commit, durably; return only then.

        Raises StoreUnavailable where nothing of the batch was committed, OutcomeUnknown where that cannot be told.
        Any other error, also one from `take` or `decide_batch`, is passed on, and nothing is changed. It is caused by
        one submission of the batch; the others may succeed without it.
        """

    @property
    def takes_writes(self) -> bool:
        """False once the store is known to refuse every write, though it can be read."""

    def reconnect(self) -> None:
        """Use new connections for later calls: the old ones may lead to a server that was replaced."""

    async def heads(self) -> Mapping[str, Head]:
        """Return the head of each board, with the version of its newest correction. Raises StoreUnavailable."""

    async def check_writes(self) -> None:
        """Check whether writes work again, if the last one has failed.

        Raises StoreUnavailable while writes fail. Reads may still work, for example on a full disk.
        """

    async def changes(self, board: str, after: int, limit: int) -> Change:
        """The standings that events after version `after` have touched, at most `limit`, in the order of versions.

        A PAGE where there are more of them. Else a LAST_PAGE, which leads to the board's head at the moment of reading:
        a copy that applies page after page up to that one is the board at its `to_version`, whatever was committed
        meanwhile, since a standing that a later event has moved on from comes again on a later page.
        Raises StoreUnavailable.
        """

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        """`limit` entries from rank `offset` + 1 on, in one atomic read. Raises StoreUnavailable."""

    async def events(self, board: str, after: int, limit: int) -> Sequence[Event]:
        """The ledger after version `after`, at most `limit` events, in order. Raises StoreUnavailable."""
