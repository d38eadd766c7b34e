"""What clients and watchers have seen of a scoreboard, and what its ledger says of the same time: frozen values.

Times are seconds on one monotonic clock, from the start of the recording.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self
from uuid import UUID

from scoreboard.domain.events import Event
from scoreboard.domain.standings import Snapshot

TOP: Final = 10
"""How many entries a stream shows."""

NOT_CONNECTED: Final = "not_connected"
"""The code where not a byte of a request was sent, since no connection was had."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """201: the event that the submission is, as the answer tells it."""

    event_id: UUID
    board: str
    user_id: str
    action_id: str
    points: int
    score: int
    rank: int | None
    version: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """An error that promises that nothing was changed; status 0 where nothing was sent (`NOT_CONNECTED`)."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that promises nothing: it may have been counted, and it may still be."""

    reason: str


Outcome = Acknowledged | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: what its client wanted, of which instance, when, and what came of it."""

    user_id: str
    action_id: str
    key: str | None
    instance: str
    started: float
    ended: float
    outcome: Outcome

    def __str__(self) -> str:
        key = "no key" if self.key is None else f"key {self.key}"
        return f"{self.user_id}'s {self.action_id} ({key}, sent to {self.instance} at {self.started:.3f} s)"


@dataclass(frozen=True, slots=True)
class Frame:
    """A board as somebody was shown it; `limit` entries were asked for. Names are left out: the ledger has none."""

    watcher: str
    instance: str
    at: float
    snapshot: Snapshot
    limit: int = TOP

    def __str__(self) -> str:
        shown = self.snapshot
        return f"{self.watcher}, at {self.at:.3f} s from {self.instance}: {shown.board} at version {shown.version}"


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was seen, in the order it was seen, and the truth that is held against it.

    `watchers` tells which board each watches. `finals` are reads of every board from every instance, after the last
    answer. `ledger` holds all events of all boards, each board's in the order of its versions; `users` names whose
    each integer key is.
    """

    instances: tuple[str, ...]
    watchers: Mapping[str, str]
    attempts: Sequence[Attempt]
    frames: Sequence[Frame]
    finals: Sequence[Frame]
    ledger: Sequence[Event] = ()
    users: Mapping[int, str] = field(default_factory=dict)

    def with_truth(self, ledger: Sequence[Event], users: Mapping[int, str]) -> Self:
        """The same history, and what the store says of it."""
        return replace(self, ledger=ledger, users=users)

    def boards(self) -> tuple[str, ...]:
        """All that were watched, read or scored on."""
        return tuple(
            sorted({*self.watchers.values(), *self.ledgers(), *(read.snapshot.board for read in self.finals)})
        )

    def ledgers(self) -> dict[str, list[Event]]:
        """The ledger, board by board."""
        ledgers: dict[str, list[Event]] = {}
        for event in self.ledger:
            ledgers.setdefault(event.board, []).append(event)
        return ledgers

    def acknowledged(self) -> Iterator[tuple[Attempt, Acknowledged]]:
        """Each attempt that was, with its answer."""
        for attempt in self.attempts:
            if isinstance(attempt.outcome, Acknowledged):
                yield attempt, attempt.outcome

    def user(self, player: int) -> str:
        """Whose integer key it is."""
        return self.users.get(player, f"player {player}")
