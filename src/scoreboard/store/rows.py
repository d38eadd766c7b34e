"""Rows of events and standings, column by column, from the values of the domain.

Columns that no row of a batch uses are left out: default boards without periods have none of them.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Final

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import NO_PLAYER, Event
from scoreboard.domain.ordering import order_values, tie_order
from scoreboard.domain.periods import kind_of
from scoreboard.domain.rollovers import KINDS
from scoreboard.domain.standings import Change, Standing
from scoreboard.store.event_kinds import stored_kind

Columns = dict[str, Sequence[object]]
"""The values of several rows, by column."""

_EVENT_COLUMNS: Final[Mapping[str, Callable[[Event], object]]] = {
    name: attrgetter(name)
    for name in (
        "version",
        "event_id",
        "seq",
        "action_id",
        "action_seq",
        "points",
        "score",
        "at_us",
        "idempotency_digest",
        "proof_digest",
        "clock_us",
    )
} | {name: attrgetter(f"provenance.{name}") for name in ("token_id", "address_hash", "agent_hash")}

_STANDING_COLUMNS: Final[Mapping[str, Callable[[Standing], object]]] = {
    "player_key": attrgetter("player")
} | {name: attrgetter(name) for name in ("period", "score", "reached_at_us", "version", "listed")}


def event_columns(events: Sequence[Event], board_keys: Mapping[str, int]) -> Columns:
    """Return the rows of `score_events` for these events."""
    kinds = [stored_kind(event) for event in events]
    columns: Columns = {
        "board_key": [board_keys[event.board] for event in events],
        "kind": [kind for kind, _ in kinds],
        "subkind": [subkind for _, subkind in kinds],
        "player_key": [None if event.player == NO_PLAYER else event.player for event in events],
    }
    columns |= {name: [*map(get, events)] for name, get in _EVENT_COLUMNS.items()}
    for name in ("target_version", "period", "boundary_us"):
        values = [getattr(event, name) for event in events]
        if any(value is not None for value in values):
            columns[name] = values
    for index in range(max(len(event.columns) for event in events)):
        columns[f"column_{index + 1}"] = [
            event.columns[index] if index < len(event.columns) else None for event in events
        ]
    return columns


def standing_columns(
    changes: Sequence[Change], board_keys: Mapping[str, int], definitions: Mapping[str, Definition]
) -> Columns:
    """Return the rows of `standings` for the standings of these changes."""
    changed = [(change.board, standing) for change in changes for standing in change.standings]
    standings = [standing for _, standing in changed]
    orders = [order_values(definitions[board], standing.values) for board, standing in changed]
    columns: Columns = {name: [*map(get, standings)] for name, get in _STANDING_COLUMNS.items()}
    columns["board_key"] = [board_keys[board] for board, _ in changed]
    columns["order_1"] = [order[0] for order in orders]
    columns["tie_order"] = [
        tie_order(definitions[board], standing.reached_version) for board, standing in changed
    ]
    for index in range(1, max(map(len, orders), default=1)):
        columns[f"column_{index}"] = [
            standing.values[index] if index < len(standing.values) else None for standing in standings
        ]
        columns[f"order_{index + 1}"] = [order[index] if index < len(order) else 0 for order in orders]
    return columns


def player_of_events(events: Sequence[Event], changes: Sequence[Change]) -> Columns:
    """Return the user id and name of each event's player. Rollovers have none."""
    known = {
        (change.board, standing.version): standing
        for change in changes
        for standing in change.standings
        if standing.period == ALL_TIME
    }
    standings = [known.get((event.board, event.version)) for event in events]
    return {
        "user_id": [None if standing is None else standing.user_id for standing in standings],
        "name": [None if standing is None else standing.name for standing in standings],
    }


def columns_of(*values: int | None) -> tuple[int, ...]:
    """Return the columns of an event or a standing from those of its row."""
    return tuple(value for value in values if value is not None)


def opened_periods(decision: Decision) -> Mapping[str, Mapping[str, str | None]]:
    """Return the open periods of each board with a rollover, by the column of `boards`."""
    boards = {event.board for event in decision.events if event.period is not None}
    opened = {
        change.board: {kind_of(period): period for period in change.periods if period != ALL_TIME}
        for change in decision.changes
        if change.board in boards
    }
    return {board: {kind: periods.get(kind) for kind in KINDS} for board, periods in opened.items()}
