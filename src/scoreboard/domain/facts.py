"""The facts that decide about submissions. A store reads them under the lock of the boards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scoreboard.domain.events import Event, Head
from scoreboard.domain.standings import Player, Standing


@dataclass(frozen=True, slots=True)
class ActionUse:
    """The player's earlier uses of the submitted action.

    `day_limiting_us` is the time of the use `max_per_day` uses ago: if that was today, the action is used up.
    All times are readings of the clock. `used_up_periods` are the open periods of the board in which the
    action has been used as often as `max_per_period` allows.
    """

    count: int = 0
    last_us: int | None = None
    day_limiting_us: int | None = None
    used_up_periods: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SubmissionFacts:
    """The facts about one submission.

    A player who is new has a new `key`, and `seq` 0. `limiting_us` is the time of the player's N-th last
    accepted submission, where N is the count of the rate limit: if its window is not over, the limit is used
    up. `has_required` is True if the player has
    completed the action that this one requires. `repeated` is the event that already has the idempotency key.
    `standings` has the player's standing in each open period in which there is one.
    """

    player: Player
    standings: Mapping[str, Standing] = field(default_factory=dict)
    use: ActionUse = ActionUse()
    limiting_us: int | None = None
    has_required: bool = False
    repeated: Event | None = None
    is_proof_used: bool = False


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """The store's clock, the head of each board of the batch, and the facts about each submission, in order.

    The `clock_us` of a head is read only if its `at_us` is ahead of the clock. Otherwise no rule needs it.
    """

    reading_us: int
    heads: Mapping[str, Head] = field(default_factory=dict)
    submissions: Sequence[SubmissionFacts] = ()
