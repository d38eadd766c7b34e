"""Checks of each event of a ledger against the events before it. Each check yields the differences."""

from collections.abc import Iterator

from scoreboard.domain.events import Event, EventKind
from scoreboard.domain.standings import Standing


def check_event(event: Event, previous: Event | None, standing: Standing | None) -> Iterator[str]:
    """Check an event's number, time and score against the event before it and its player's standing."""
    expected = 1 if previous is None else previous.version + 1
    if event.version != expected:
        yield f"event {expected}: missing, the next one is {event.version}"
    if previous is not None and event.at_us < previous.at_us:
        yield f"event {event.version}: earlier than the one before it"
    before = standing.score if standing else 0
    if event.score != before + event.points:
        yield (
            f"event {event.version}: has score {event.score}, but {before} + {event.points} points is "
            "not that"
        )


def check_counts(
    event: Event, seqs: dict[int, int], action_seqs: dict[tuple[int, str], int]
) -> Iterator[str]:
    """Check the counters of the rules: uses of an action, and the player's submissions on all boards."""
    if event.kind is not EventKind.AWARD:
        if (event.seq, event.action_id, event.action_seq) != (None, None, None):
            yield f"event {event.version}: has the counters of a submission, but is none"
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


def check_target(event: Event, target: Event | None, is_void: bool) -> Iterator[str]:
    """Check that voids and unvoids of an event alternate, and that each moves its points once."""
    if target is None or target.version >= event.version or target.player != event.player:
        named = f"event {event.version}: {event.kind} of event {event.target_version}"
        yield f"{named}, which is not an earlier event of its player"
    elif event.points != (-target.points if event.kind is EventKind.VOID else target.points):
        yield f"event {event.version}: {event.kind} of {target.points} points by {event.points}"
    elif is_void is (event.kind is EventKind.VOID):
        state = "is void already" if is_void else "is not void"
        yield f"event {event.version}: {event.kind} of event {target.version}, which {state}"
