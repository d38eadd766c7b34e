"""A plain model of a board: the fold of its ledger in each period.

It uses the product's plain values, and none of its functions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scoreboard.domain.definitions import Definition
from scoreboard.domain.events import Event

SECOND_US = 1_000_000
DAY = timedelta(days=1)


@lru_cache(maxsize=100_000)
def begins_us(day: date, zone: ZoneInfo) -> int:
    """Return the first minute at which clocks in a zone show a day, or a later one if they skip it."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(zone).date() < day:
        at += timedelta(minutes=1)
    return round(at.timestamp()) * SECOND_US


def day_at(at_us: int, zone: ZoneInfo) -> date:
    """Return the latest day that clocks in a zone have shown until a moment."""
    day = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(zone).date()
    while begins_us(day + DAY, zone) <= at_us:
        day += DAY
    return day


def first_day(kind: str, day: date) -> date:
    """Return the first day of the period with a day."""
    back = {"day": 0, "week": day.isoweekday() - 1, "month": day.day - 1}[kind]
    return day - back * DAY


def period_of(kind: str, day: date) -> str:
    """Return the id of the period with a day."""
    return day.strftime({"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}[kind])


def kind_of(period: str) -> str:
    """Return the kind of a period, or `all`."""
    lengths = {len("all"): "all", len("2026-11-28"): "day", len("2026-W48"): "week", len("2026-11"): "month"}
    return lengths[len(period)]


@dataclass(frozen=True)
class Row:
    """A row of a board. Two rows with equal `values` may share a rank."""

    rank: int
    user_id: str
    values: tuple[int, ...]
    reached_at_us: int


class PlainBoard:
    """A board after each version of its ledger."""

    def __init__(self, definition: Definition, events: Sequence[Event], users: Mapping[int, str]) -> None:
        """`users` has the user id of each player."""
        self.definition = definition
        self.events = events
        self._users = users
        self.periods_of: dict[int, tuple[str, ...]] = {}
        """The periods of each event, by its version."""
        opened: dict[str, str] = {}
        for event in self.events:
            if event.period is not None:
                opened[kind_of(event.period)] = event.period
            self.periods_of[event.version] = ("all", *opened.values())

    @property
    def version(self) -> int:
        return len(self.events)

    @property
    def periods(self) -> set[str]:
        """All periods that have begun."""
        return {"all", *(event.period for event in self.events if event.period is not None)}

    def opened(self, version: int | None = None) -> dict[str, str]:
        """Return the open period of each kind after a version."""
        periods = self.periods_of.get(self.version if version is None else version, ())
        return {kind_of(period): period for period in periods if period != "all"}

    def due(self, at_us: int, kind: str) -> str:
        """Return the period of a kind at a moment."""
        return period_of(kind, day_at(at_us, self.definition.timezone))

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with versions and rollovers: each event must be in the period of its time."""
        opened: dict[str, str] = {}
        for version, event in enumerate(self.events, start=1):
            if event.version != version:
                yield f"version {event.version} instead of {version}"
            if event.period is None:
                for ended in self.definition.periods:
                    if opened.get(ended, "") < self.due(event.reading_us, ended):
                        yield f"event {version} is in {opened.get(ended)}, which is over"
                continue
            kind = kind_of(event.period)
            first = first_day(kind, day_at(event.reading_us, self.definition.timezone))
            expected = (period_of(kind, first), begins_us(first, self.definition.timezone), 0)
            if (event.period, event.boundary_us, event.player) != expected:
                yield f"rollover {version} is {event}, instead of {expected}"
            if kind not in self.definition.periods or event.period <= opened.get(kind, ""):
                yield f"rollover {version} begins {event.period}, and {opened.get(kind)} is open"
            opened[kind] = event.period

    def rows(self, period: str, version: int) -> list[Row]:
        """Return the rows of a period after a version."""
        void, unlisted = self._corrected(version)
        sorted_rows = []
        for player, events in self._own(period, version).items():
            reached = None if player in unlisted else self._values(events, void)
            if reached is not None:
                values, event = reached
                tie = -event.version if self.definition.ties == "latest" else event.version
                sorted_rows.append((self._order(values), tie, player, values, event.reading_us))
        sorted_rows.sort()
        orders = [row[0] for row in sorted_rows]
        return [
            Row(
                1 + (orders.index(order) if self.definition.ties == "shared" else index),
                self._users[player],
                values,
                at_us,
            )
            for index, (order, _, player, values, at_us) in enumerate(sorted_rows)
        ]

    def last_change(self, period: str, version: int) -> int:
        """Return the last event up to a version that changed a standing of a period, or 0."""
        players: set[int] = set()
        last = 0
        for event in self.events[:version]:
            if event.kind in {"award", "adjust"}:
                is_change = period in self.periods_of[event.version]
                players |= {event.player} if is_change else set()
            elif event.target_version is not None:
                is_change = period in self.periods_of[event.target_version]
            else:
                is_change = event.player in players
            last = event.version if is_change else last
        return last

    def _own(self, period: str, version: int) -> dict[int, list[Event]]:
        """Return the events of each player that have values in a period."""
        kinds = {"award", "adjust"} if self._is_sum(only_sums=True) else {"award"}
        own: dict[int, list[Event]] = {}
        for event in self.events[:version]:
            if event.kind in kinds and period in self.periods_of[event.version]:
                own.setdefault(event.player, []).append(event)
        return own

    def _corrected(self, version: int) -> tuple[set[int], set[int]]:
        """Return the void events and the players who are not listed."""
        void: set[int] = set()
        banned: set[int] = set()
        hidden: set[int] = set()
        for event in self.events[:version]:
            if event.kind == "void":
                void.add(event.target_version or 0)
            elif event.kind == "unvoid":
                void.remove(event.target_version or 0)
            elif event.kind in {"ban", "erase"}:
                banned.add(event.player)
            elif event.kind == "unban":
                banned.discard(event.player)
            elif event.kind == "hide" or event.hides:
                hidden.add(event.player)
            elif event.kind == "show":
                hidden.discard(event.player)
        return void, banned | hidden

    def _is_sum(self, *, only_sums: bool) -> bool:
        columns = {str(column.aggregation) for column in self.definition.columns}
        return {self.definition.aggregation, *columns} <= {"sum", "count"} and (only_sums or not columns)

    def _values(self, events: Sequence[Event], void: set[int]) -> tuple[tuple[int, ...], Event] | None:
        """Return the values of a player, and the event that reached them, as if there were no void events."""
        reached: tuple[tuple[int, ...], Event] | None = None
        for event in events:
            if event.version in void:
                continue
            missing = len(self.definition.columns) - len(event.columns)
            values = (event.points, *event.columns, *(0,) * missing)
            if reached is not None:
                values = self._combined(reached[0], values)
            if reached is None or values != reached[0]:
                reached = values, event
        if reached is None and self._is_sum(only_sums=False):
            # A sum of nothing is 0. Without a sum, there is no value.
            return (0,), events[0]
        return reached

    def _combined(self, before: tuple[int, ...], event: tuple[int, ...]) -> tuple[int, ...]:
        if self.definition.aggregation == "latest":
            return event
        if self.definition.aggregation == "best":
            return min(before, event, key=self._order)
        combined = [before[0] + event[0]]
        for column, old, new in zip(self.definition.columns, before[1:], event[1:], strict=True):
            best = max(old, new) if column.sort == "descending" else min(old, new)
            combined.append(
                {"sum": old + new, "count": old + new, "latest": new, "best": best}[column.aggregation]
            )
        return tuple(combined)

    def _order(self, values: tuple[int, ...]) -> tuple[int, ...]:
        sorts = (self.definition.sort, *(column.sort for column in self.definition.columns))
        return tuple(
            -value if sort == "descending" else value for sort, value in zip(sorts, values, strict=True)
        )
