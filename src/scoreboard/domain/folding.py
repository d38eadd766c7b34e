"""The fold of a ledger: a player's standing after one more event."""

from dataclasses import replace
from typing import Final

from scoreboard.domain.events import Event, EventKind, ReachingEvent
from scoreboard.domain.standings import Standing

_UNLISTING: Final = frozenset({EventKind.BAN, EventKind.HIDE, EventKind.ERASE})
"""The events that remove a player from the board."""


def fold(
    standing: Standing | None,
    event: Event,
    user_id: str,
    name: str | None,
    *,
    reached: ReachingEvent | None = None,
    listed: bool | None = None,
) -> Standing:
    """Return a player's standing after one more event. A board is the fold of its ledger.

    For a void or an unvoid, `reached` is the event with which the player reached the new score. Any other
    event reaches the score itself, if it changes the score. The end of a ban or of hiding needs to know
    whether the player is `listed` afterwards. All other events determine it themselves.
    """
    seq = event.seq or (standing.name_version if standing else 0)
    if event.kind in _UNLISTING:
        listed = False
    elif listed is None:
        listed = not event.hides if standing is None else standing.listed
    if reached is None and standing is not None and standing.score == event.score:
        return replace(
            standing, user_id=user_id, name=name, version=event.version, name_version=seq, listed=listed
        )
    reached = reached or ReachingEvent(event.version, event.reading_us)
    return Standing(
        player=event.player,
        user_id=user_id,
        name=name,
        score=event.score,
        reached_version=reached.version,
        reached_at_us=reached.reading_us,
        version=event.version,
        name_version=seq,
        listed=listed,
    )
