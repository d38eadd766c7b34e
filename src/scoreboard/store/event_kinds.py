"""Storage of the kinds of events that programs of schema 0002 do not know.

Such an event is stored with a kind that has the same effect in those programs, and with its own kind as the
`subkind`. So all instances can read the ledger during a rolling update and after a rollback.
"""

from typing import Final

from scoreboard.domain.events import Event, EventKind

_STORED_AS: Final = {
    EventKind.HIDE: EventKind.BAN,
    EventKind.SHOW: EventKind.UNBAN,
    EventKind.RENAME: EventKind.ADJUST,
    EventKind.RELEASE_NAME: EventKind.ADJUST,
}

HIDES: Final = EventKind.HIDE.value
"""Also the subkind of an award or adjustment with `Event.hides`."""


def stored_kind(event: Event) -> tuple[str, str | None]:
    """Return the columns `kind` and `subkind` of an event."""
    if event.kind in _STORED_AS:
        return _STORED_AS[event.kind].value, event.kind.value
    return event.kind.value, HIDES if event.hides else None


def read_kind(kind: str, subkind: str | None) -> tuple[EventKind, bool]:
    """Return the kind of a row of the ledger, and `Event.hides`."""
    if subkind is None:
        return EventKind(kind), False
    own = EventKind(subkind)
    return (own, False) if _STORED_AS[own] == kind else (EventKind(kind), True)
