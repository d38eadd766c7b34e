"""What clients and watchers saw of a scoreboard, and its ledger: frozen values.

Times are seconds on one monotonic clock, from the start of the recording.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self
from uuid import UUID

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event
from scoreboard.domain.standings import Snapshot

TOP: Final = 10
"""The number of entries that a stream sends."""

NOT_CONNECTED: Final = "not_connected"
"""The code of a request of which no byte was sent, because there was no connection."""


def views(boards: Iterable[str], definitions: Mapping[str, Definition]) -> Sequence[tuple[str, str]]:
    """Return each board with `all`, and with each kind of its periods."""
    return [
        (board, kind)
        for board in boards
        for kind in (ALL_TIME, *(definitions[board].periods if board in definitions else ()))
    ]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """201: the event of the submission, according to the answer."""

    event_id: UUID
    board: str
    user_id: str
    action_id: str
    points: int
    score: int
    rank: int | None
    version: int
    replayed: bool
    periods: Mapping[str, int | None] = field(default_factory=dict)
    """The player's score in each period that was open."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An error that promises that nothing was changed. Status 0: nothing was sent (`NOT_CONNECTED`)."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or an answer without a promise: the submission may have been counted, or may still be."""

    reason: str


Outcome = Acknowledged | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: its intent, its instance, its times and its outcome."""

    user_id: str
    action_id: str
    key: str | None
    instance: str
    started: float
    ended: float
    outcome: Outcome
    period: str | None = None
    """The period for which the action was to count, if the request named one."""

    def __str__(self) -> str:
        key = "no key" if self.key is None else f"key {self.key}"
        return f"{self.user_id}'s {self.action_id} ({key}, sent to {self.instance} at {self.started:.3f} s)"


@dataclass(frozen=True, slots=True)
class Frame:
    """A board that a client received after it asked for `limit` entries. The ledger has no names."""

    watcher: str
    instance: str
    at: float
    snapshot: Snapshot
    limit: int = TOP

    def __str__(self) -> str:
        shown = self.snapshot
        period = "" if shown.period == ALL_TIME else f" in {shown.period}"
        return (
            f"{self.watcher}, at {self.at:.3f} s from {self.instance}: {shown.board}{period} at version "
            f"{shown.version}"
        )


@dataclass(frozen=True, slots=True)
class History:
    """Everything that clients and watchers saw, in order, and the ledger to compare it with.

    `watchers` maps each watcher to its board, `kinds` those that watch a period to its kind, and
    `definitions` has the boards with periods. `finals` are reads of every board, and of its open periods,
    from every instance, after the last answer. `ledger` contains all events of all boards, those of each
    board in the order of their versions. `users` maps player keys to user ids.
    """

    instances: tuple[str, ...]
    watchers: Mapping[str, str]
    attempts: Sequence[Attempt]
    frames: Sequence[Frame]
    finals: Sequence[Frame]
    ledger: Sequence[Event] = ()
    users: Mapping[int, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)

    def with_ledger(self, ledger: Sequence[Event], users: Mapping[int, str]) -> Self:
        """Return the same history with the contents of the store."""
        return replace(self, ledger=ledger, users=users)

    def boards(self) -> tuple[str, ...]:
        """Return all boards that were watched, read or scored on."""
        return tuple(
            sorted({*self.watchers.values(), *self.ledgers(), *(read.snapshot.board for read in self.finals)})
        )

    def views(self) -> Sequence[tuple[str, str]]:
        """Return what was watched, read or scored on."""
        return views(self.boards(), self.definitions)

    def kind(self, watcher: str) -> str:
        """Return what a watcher watches: `all`, or a kind of period."""
        return self.kinds.get(watcher, ALL_TIME)

    def ledgers(self) -> dict[str, list[Event]]:
        """Return the ledger of each board."""
        ledgers: dict[str, list[Event]] = {}
        for event in self.ledger:
            ledgers.setdefault(event.board, []).append(event)
        return ledgers

    def acknowledged(self) -> Iterator[tuple[Attempt, Acknowledged]]:
        """Return each acknowledged attempt with its answer."""
        for attempt in self.attempts:
            if isinstance(attempt.outcome, Acknowledged):
                yield attempt, attempt.outcome

    def user(self, player: int) -> str:
        """Return the user id of a player key."""
        return self.users.get(player, f"player {player}")
