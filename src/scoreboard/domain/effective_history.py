"""A board's history after corrections: the events that count, and the players that are listed."""

from array import array
from collections import defaultdict
from typing import Final

from scoreboard.domain.events import Event, EventKind

VOIDABLE: Final = frozenset({EventKind.AWARD, EventKind.ADJUST})
"""The kinds of events that carry points."""


_AWAY: Final = (EventKind.BAN, EventKind.HIDE, EventKind.ERASE)
_BACK: Final = {EventKind.UNBAN: EventKind.BAN, EventKind.SHOW: EventKind.HIDE}
"""`_AWAY`: the kinds of events that remove a player from the board. `_BACK`: those that undo one."""


class EffectiveHistory:
    """The events of one board, appended in order, and the one that reached each player's score.

    It takes about 8 bytes an event and 200 bytes a player.
    """

    def __init__(self) -> None:
        self._versions: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
        self._without_points: set[int] = set()
        self._void: set[int] = set()
        self._away: dict[EventKind, set[int]] = {kind: set() for kind in _AWAY}

    def append(self, event: Event) -> None:
        """Add the next event of the ledger."""
        if event.kind in VOIDABLE:
            self._versions[event.player].append(event.version)
            if not event.points:
                self._without_points.add(event.version)
        elif event.target_version is not None:
            if event.kind is EventKind.VOID:
                self._void.add(event.target_version)
            else:
                self._void.discard(event.target_version)
        if event.hides:
            self._away[EventKind.HIDE].add(event.player)
        elif event.kind in _AWAY:
            self._away[event.kind].add(event.player)
        elif event.kind in _BACK:
            self._away[_BACK[event.kind]].discard(event.player)

    def is_listed(self, player: int) -> bool:
        """Return whether a player is neither banned, hidden nor erased."""
        return not any(player in away for away in self._away.values())

    def is_void(self, version: int) -> bool:
        """Return whether an event does not count now."""
        return version in self._void

    def reached_version(self, player: int) -> int | None:
        """Return the event that reached the player's score: the last one that counts and has changed it.

        Without one, it is the first event that counts, or else the first of all: the score is 0 since.
        """
        versions = self._versions.get(player)
        if not versions:
            return None
        first = versions[0]
        for version in reversed(versions):
            if version in self._void:
                continue
            if version not in self._without_points:
                return version
            first = version
        return first
