"""The decision about a batch of submissions, or about a correction."""

from dataclasses import dataclass

from scoreboard.domain.errors import ScoreboardError
from scoreboard.domain.events import Event
from scoreboard.domain.standings import Change


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The submission is in the ledger as this event. `replayed` is True if an earlier submission created the
    event.
    """

    event: Event
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The submission changed nothing."""

    error: ScoreboardError


Outcome = Acceptance | Refusal


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of each submission of a batch, in order, and the new events and changes, in order of
    versions.

    There is one change per board.
    """

    outcomes: tuple[Outcome, ...]
    events: tuple[Event, ...]
    changes: tuple[Change, ...]


NO_DECISION = Decision((), (), ())
"""The decision about an empty batch."""
