"""Facts about a submission, and the decision about a batch of submissions."""

from dataclasses import dataclass

from scoreboard.domain.errors import ScoreboardError
from scoreboard.domain.events import Event, Head
from scoreboard.domain.standings import Change, Standing


@dataclass(frozen=True, slots=True)
class SubmissionFacts:
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
class Acceptance:
    """The submission is this event of the ledger; `replayed` where an earlier one with its key had made it."""

    event: Event
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The submission changed nothing."""

    error: ScoreboardError


Outcome = Acceptance | Refusal


@dataclass(frozen=True, slots=True)
class Decision:
    """What a batch comes to: an outcome for each submission in its order, and what is to be appended for them.

    `events` are the new ones, `changes` one a board: both in the order of versions.
    """

    outcomes: tuple[Outcome, ...]
    events: tuple[Event, ...]
    changes: tuple[Change, ...]
