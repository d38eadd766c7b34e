"""Checks of each event of a ledger against the events before it. Each check yields the differences."""

from collections.abc import Iterator, Mapping

from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import NO_PLAYER, Event, EventKind
from scoreboard.domain.periods import Period, PeriodKind, parse_period, period_at


def check_event(event: Event, previous: Event | None) -> Iterator[str]:
    """Check an event's number and time against the event before it."""
    expected = 1 if previous is None else previous.version + 1
    if event.version != expected:
        yield f"event {expected}: missing, the next one is {event.version}"
    if previous is not None and event.at_us < previous.at_us:
        yield f"event {event.version}: earlier than the one before it"


def check_rollover(event: Event, definition: Definition, before: str | None) -> Iterator[str]:
    """Check that a rollover begins the period of its time, where the definition puts it.

    `before` is the period of the same kind that it ends.
    """
    begins = f"event {event.version}: begins {event.period}"
    try:
        period = parse_period(event.period or "", definition.timezone)
    except ValueError:
        yield f"{begins}, which is not a period"
        return
    now = period_at(period.kind, event.reading_us, definition.timezone)
    if period.kind not in definition.periods:
        yield f"{begins}, but the board has no periods of this kind"
    elif event.boundary_us != period.begins_us:
        yield f"{begins} at {event.boundary_us} instead of {period.begins_us}"
    elif now != period:
        yield f"{begins} at a time in {now.id}"
    if before is not None and period.id <= before:
        yield f"{begins} after {before}"
    if event.player != NO_PLAYER:
        yield f"{begins}, but has a player"


def check_periods(
    event: Event, definition: Definition, open_periods: Mapping[PeriodKind, Period]
) -> Iterator[str]:
    """Check that an event is in the open periods: each kind has one, which has not ended."""
    if event.player == NO_PLAYER:
        yield f"event {event.version}: has no player"
    for kind in definition.periods:
        period = open_periods.get(kind)
        if period is None:
            yield f"event {event.version}: precedes the first {kind}"
        elif event.reading_us >= period.ends_us:
            yield f"event {event.version}: is in {period.id}, but after its end"


def check_score(event: Event, score: int) -> Iterator[str]:
    """Check that an event states its player's score after it."""
    if event.score != score:
        yield f"event {event.version}: has score {event.score}, but the events up to it combine to {score}"


def check_counts(
    event: Event, seqs: dict[int, int], action_seqs: dict[tuple[int, str], int]
) -> Iterator[str]:
    """Check the counters of the rules: uses of an action, and the player's submissions on all boards."""
    if event.kind is not EventKind.AWARD:
        if (event.seq, event.action_id, event.action_seq) != (None, None, None):
            yield f"event {event.version}: has the counters of a submission, but is not one"
        return
    if event.seq is None or event.action_id is None:
        yield f"event {event.version}: is a submission, but has no counters"
        return
    use = (event.player, event.action_id)
    action_seqs[use] = action_seqs.get(use, 0) + 1
    if event.action_seq != action_seqs[use]:
        yield (
            f"event {event.version}: has use {event.action_seq} of its action, but it is use "
            f"{action_seqs[use]}"
        )
    if event.seq <= seqs.get(event.player, 0):
        yield f"event {event.version}: has submission {event.seq} of its player, after {seqs[event.player]}"
    seqs[event.player] = event.seq


def check_target(
    event: Event, target: Event | None, definition: Definition, *, is_void: bool
) -> Iterator[str]:
    """Check that voids and unvoids of an event alternate, and that each moves its points once."""
    named = f"event {event.version}: {event.kind} of event {event.target_version}"
    if target is None or target.version >= event.version or target.player != event.player:
        yield f"{named}, which is not an earlier event of its player"
    elif event.points != _points(event.kind, target, definition):
        points = _points(event.kind, target, definition)
        yield f"{named} moves {event.points} points instead of {points}"
    elif is_void is (event.kind is EventKind.VOID):
        state = "is void already" if is_void else "is not void"
        yield f"{named}, which {state}"


def _points(kind: EventKind, target: Event, definition: Definition) -> int:
    """Return the points of a void or an unvoid. Values that are not sums have nothing to subtract."""
    if not definition.is_additive:
        return 0
    return -target.points if kind is EventKind.VOID else target.points
