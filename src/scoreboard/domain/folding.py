"""The fold of a ledger: a player's standing after one more event."""

from dataclasses import dataclass
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.combining import Values, combine
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event, EventKind, ReachingEvent
from scoreboard.domain.standings import Player, Standing

VOIDABLE: Final = frozenset({EventKind.AWARD, EventKind.ADJUST})
"""The kinds of events that a void can target."""

UNLISTING: Final = frozenset({EventKind.BAN, EventKind.HIDE, EventKind.ERASE})
"""The kinds of events that remove a player from the board."""


@dataclass(frozen=True, slots=True)
class ValuesAfterVoid:
    """The values of a standing after a void or an unvoid, and the event that reached them. None if no event
    counts.
    """

    values: Values | None
    reached: ReachingEvent | None


def has_values(definition: Definition, event: Event) -> bool:
    """Return True if an event is an award, or an adjustment of a score to which points can be added."""
    return event.kind is EventKind.AWARD or (event.kind is EventKind.ADJUST and definition.is_adjustable)


def event_values(definition: Definition, event: Event) -> Values:
    """Return the values of an award or an adjustment. An adjustment changes the score alone."""
    missing = len(definition.columns) - len(event.columns)
    return (event.points, *event.columns, *(0,) * missing)


def fold(
    definition: Definition,
    standing: Standing | None,
    event: Event,
    player: Player,
    period: str = ALL_TIME,
    *,
    listed: bool | None = None,
    after_void: ValuesAfterVoid | None = None,
) -> Standing:
    """Return a player's standing in a period after one more event. A board is the fold of its ledger.

    `player` is the player after the event. For a void or an unvoid, `after_void` has the new values. `listed`
    overrides whether the player is listed, except for events that remove the player from the board, and for
    standings of which no event counts.
    """
    before = None if standing is None or standing.is_empty else standing.values
    values: Values | None = before
    reached: ReachingEvent | None = None
    if after_void is not None:
        values, reached = after_void.values, after_void.reached
    elif has_values(definition, event):
        values = combine(definition, before, event_values(definition, event))
        if values != before:
            reached = ReachingEvent(event.version, event.reading_us)
    if reached is None and standing is not None:
        reached = ReachingEvent(standing.reached_version, standing.reached_at_us)
    if values is None or reached is None:
        values, reached, listed = (0,) * len(definition.sorts), ReachingEvent(0, 0), False
    elif event.kind in UNLISTING:
        listed = False
    elif listed is None:
        listed = not event.hides if standing is None or standing.is_empty else standing.listed
    return Standing(
        player=player.key,
        user_id=player.user_id,
        name=player.name,
        score=values[0],
        reached_version=reached.version,
        reached_at_us=reached.reading_us,
        version=event.version,
        name_version=player.name_version,
        listed=listed,
        columns=values[1:],
        period=period,
    )
