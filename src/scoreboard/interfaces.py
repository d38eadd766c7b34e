"""The seam: the truth (`Store`) and an ordered copy of it (`Ranking`). Each driver keeps these contracts.

A board has one history. Each accepted event gets the board's next number, its version: gapless, in the order of
commits. The board at version n is the fold of the events 1 … n, and nothing else. From this follow the total order
(`model.order_key`), what a copy is (a board at some version) and what healing is (`healing`).

Every driver is an async context manager; nothing may be called outside of it.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable
from uuid import UUID

from scoreboard.errors import ScoreboardError
from scoreboard.model import Board, Change, Event, Head, Snapshot, Standing, Submission


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides about one submission, read after the lock was taken.

    `at_us` is the store's clock. All other times are readings of it, too (`Event.reading_us`). The head has its
    `clock_us` only if its `at_us` is ahead of the clock: otherwise the reading decides nothing. `player` is the
    player's integer key: a new one where the user has none yet (`seq` is 0 then). `action_seq` counts the player's uses
    of the action, `used_at_us` is the time of the last use, `day_at_us` that of the use `max_per_day` uses ago;
    `has_required` is whether the action that this one requires was ever completed. `limit_at_us` is the time of the
    accepted submission as many submissions ago as the limit allows. `repeated` is the event that already has the
    submission's idempotency key, and `is_redeemed` whether its proof was used before.
    """

    at_us: int
    head: Head
    player: int
    name: str | None
    seq: int
    standing: Standing | None
    action_seq: int
    used_at_us: int | None
    day_at_us: int | None
    has_required: bool
    limit_at_us: int | None
    repeated: Event | None
    is_banned: bool = False
    is_redeemed: bool = False
    is_hidden: bool = False
    is_name_kept: bool = False
    renames: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """The submission is this event of the ledger; `replayed` where an earlier one with its key had made it."""

    event: Event
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The submission changed nothing."""

    error: ScoreboardError


Outcome = Accepted | Refused


@dataclass(frozen=True, slots=True)
class Settled:
    """What a batch comes to: an outcome for each submission in its order, and what is to be appended for them.

    `events` are the new ones, `changes` one a board: both in the order of versions.
    """

    outcomes: tuple[Outcome, ...]
    events: tuple[Event, ...]
    changes: tuple[Change, ...]


Take = Callable[[], Sequence[Submission]]
Settle = Callable[[Sequence[Submission], Sequence[Facts]], Settled]


class Store(Protocol):
    """The truth: boards, players, the ledger and the standings that are its fold."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...

    async def ensure(self, boards: Sequence[Board]) -> None:
        """Make a row for each board that has none. Repeats change nothing.

        Raises StoreUnavailable.
        """

    async def commit(self, boards: Collection[str], take: Take, settle: Settle) -> Settled:
        """Lock, take, read, settle, append, commit: one atomic turn of the one writer that a board has at a time.

        1. Lock the boards; only then call `take` (once, from any thread): while this turn waits, its batch grows.
           What it takes is for these boards alone, and at most one submission of a player.
        2. Read the facts of the batch, with a snapshot newer than the lock.
        3. Call `settle` (pure; again with new facts where a player's `seq` has moved meanwhile, on another board).
        4. Append all of `events` and `changes` and commit, durably; return only then.

        Raises StoreUnavailable where nothing of the batch was committed, OutcomeUnknown where that cannot be told.
        Any other error, also one from `take` or `settle`, is passed on, and nothing is changed. It is caused by one
        submission of the batch; the others may succeed without it.
        """

    @property
    def takes_writes(self) -> bool:
        """False once the store is known to refuse every write, though it can be read."""

    def renew(self) -> None:
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

    async def place(self, board: str, player: int) -> int | None:
        """The rank of a player now; None where it is not listed. Raises RankingUnavailable as `page` does."""

    async def drop(self, board: str) -> None:
        """Forget the copy: it stands at version 0 and is not readable. Raises RankingUnavailable."""

    def changed(self) -> AsyncIterator[str]:
        """Name boards whose copy has changed, as soon as it has: a hint, never the data. One iterator a process."""


@runtime_checkable
class Pooled(Protocol):
    """A driver that has connections, for whoever watches them."""

    def pools(self) -> Mapping[str, tuple[int, int]]:
        """Of each pool, by its name: how many connections are in use, and how many there may be. From any thread."""


class Clock(Protocol):
    """The process's clocks, handed in so that a test can hold them."""

    def now_us(self) -> int:
        """The time of day, in microseconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""


NewId = Callable[[], UUID]
