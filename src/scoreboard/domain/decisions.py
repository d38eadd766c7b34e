"""The decision about a batch of submissions, or about a correction."""

from dataclasses import dataclass

from scoreboard.domain.errors import ScoreboardError
from scoreboard.domain.events import Event
from scoreboard.domain.standings import Change, Standing


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The submission is in the ledger as this event. `replayed` is True if an earlier submission created the
    event.

    `standings` are the player's in each open period after the event. A repeat has none.
    """

    event: Event
    replayed: bool = False
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The submission changed nothing."""

    error: ScoreboardError


Outcome = Acceptance | Refusal


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of each submission of a batch, the new events, and one change per board, all in order."""

    outcomes: tuple[Outcome, ...]
    events: tuple[Event, ...]
    changes: tuple[Change, ...]

    @property
    def accepted(self) -> int:
        """The number of submissions that were added to the ledger now. Repeats were added before."""
        return sum(isinstance(outcome, Acceptance) and not outcome.replayed for outcome in self.outcomes)


NO_DECISION = Decision((), (), ())
"""The decision about an empty batch."""
