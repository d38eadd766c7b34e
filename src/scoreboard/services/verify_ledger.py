"""The fold of a board's ledger, for `verify`, with the checks of each event."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.effective_history import EffectiveHistory
from scoreboard.domain.events import Event, EventKind, ReachingEvent
from scoreboard.domain.folding import ValuesAfterVoid, fold
from scoreboard.domain.ledger_checks import (
    check_counts,
    check_event,
    check_periods,
    check_rollover,
    check_score,
    check_target,
)
from scoreboard.domain.ordering import order_key
from scoreboard.domain.periods import Period, PeriodKind, kind_of, parse_period
from scoreboard.domain.standings import Player, Standing
from scoreboard.domain.windows import is_ahead
from scoreboard.services.apply import PAGE_SIZE
from scoreboard.services.verify_standings import Standings, StoredStandings, compare_standings

OrderKey = tuple[int, ...]


@dataclass(slots=True)
class _PastPeriod:
    """A period that is over. Its standings were read from the store when the board had `read_version`.

    `stored` and `folded` have only the standings that later corrections have changed.
    """

    read_version: int
    stored: Standings
    folded: Standings = field(default_factory=dict)


class LedgerFold:
    """The fold of all events up to a version."""

    def __init__(self, stored: StoredStandings, definition: Definition) -> None:
        self._stored = stored
        self.definition = definition
        self._previous: Event | None = None
        self._seqs: dict[int, int] = {}
        self._action_seqs: dict[tuple[int, str], int] = {}
        self._order: tuple[str, list[OrderKey]] | None = None
        self._effective = EffectiveHistory(definition)
        self._open: dict[PeriodKind, Period] = {}
        self._past: dict[str, _PastPeriod] = {}
        self.periods: defaultdict[str, Standings] = defaultdict(dict)
        """The standings of the open periods."""
        self.version = 0
        self.reading_us = 0
        self.set_back_version = 0
        """The version of the newest event before which the clock was set back, or 0."""

    def sort(self, period: str) -> list[OrderKey]:
        """Return the keys of the listed standings in order. Later folds keep the list up to date."""
        standings = self.periods[period].values()
        order = sorted(self._order_key(standing) for standing in standings if standing.listed)
        self._order = period, order
        return order

    async def fold_to(self, version: int) -> list[str]:
        """Fold more events, up to a version. Return what is wrong with them."""
        differences: list[str] = []
        store, board = self._stored.store, self._stored.board
        while self.version < version:
            page = await store.events(board, self.version, min(PAGE_SIZE, version - self.version))
            events = [event for event in page if event.version <= version]
            if not events:
                differences.append(f"event {self.version + 1}: missing, up to version {version}")
                break
            for event in events:
                differences += check_event(event, self._previous)
                differences += check_counts(event, self._seqs, self._action_seqs)
                if event.kind is EventKind.ROLLOVER:
                    differences += await self._begin_period(event)
                else:
                    differences += await self._fold_event(event)
                if self._previous is not None and is_ahead(self._previous.reading_us, event.reading_us):
                    self.set_back_version = event.version
                self._previous = event
                self.version, self.reading_us = event.version, event.reading_us
            self._stored.report("events", self.version, version)
        return differences

    async def _begin_period(self, event: Event) -> list[str]:
        """Begin a period. Compare the standings of the one before with the store, and forget them."""
        kind = kind_of(event.period or "")
        before = self._open.get(kind)
        differences = [*check_rollover(event, self.definition, None if before is None else before.id)]
        if differences:
            return differences
        self._effective.append(event)
        self._open[kind] = parse_period(event.period or "", self.definition.timezone)
        if before is not None:
            folded = self.periods.pop(before.id, {})
            stored = await self._stored.of_period(before.id)
            later = {player for player, standing in stored.items() if standing.version > event.version}
            self._past[before.id] = _PastPeriod(
                self._stored.version,
                {player: stored.pop(player) for player in later},
                {player: folded.pop(player) for player in later & folded.keys()},
            )
            differences += compare_standings(folded, stored, before.id)
        return differences

    def compare_past_periods(self) -> list[str]:
        """Return the differences of the standings of past periods that later corrections have changed.

        A correction during this verification is left to the next one.
        """
        differences: list[str] = []
        for period, past in self._past.items():
            stored = {
                player: standing
                for player, standing in past.stored.items()
                if standing.version <= past.read_version
            }
            folded = {player: standing for player, standing in past.folded.items() if player in stored}
            differences += compare_standings(folded, stored, period)
        return differences

    async def _fold_event(self, event: Event) -> list[str]:
        differences = [*check_periods(event, self.definition, self._open)]
        if event.target_version is not None:
            is_void = self._effective.is_void(event.target_version)
            target = await self._event(event.target_version)
            differences += check_target(event, target, self.definition, is_void=is_void)
        self._effective.append(event)
        for period in self._periods_of(event):
            past = self._past.get(period)
            if past is not None and event.player not in past.folded:
                if event.version <= past.read_version:
                    differences.append(
                        f"player {event.player} in {period}: its standing does not have event {event.version}"
                    )
                continue
            standings = self.periods[period] if past is None else past.folded
            await self._fold_standing(event, period, standings)
        return [*differences, *check_score(event, self.periods[ALL_TIME][event.player].score)]

    def _periods_of(self, event: Event) -> Collection[str]:
        """Return the periods whose standings an event changes."""
        if event.target_version is not None:
            return self._effective.periods_of(event.target_version)
        if event.kind in {EventKind.AWARD, EventKind.ADJUST}:
            return self._effective.periods_of(event.version)
        return self._effective.periods_of_player(event.player)

    async def _event(self, version: int) -> Event | None:
        return next(iter(await self._stored.store.events(self._stored.board, version - 1, 1)), None)

    async def _values_after_void(self, event: Event, period: str, before: Standing | None) -> ValuesAfterVoid:
        """Return the values of a player after a void or an unvoid."""
        found = self._effective.reached(event.player, period)
        if found is None:
            return ValuesAfterVoid(None, None)
        version, values = found
        reached = await self._event(version)
        assert reached is not None
        if values is None:
            values = ((before.score if before else 0) + event.points,)
        return ValuesAfterVoid(values, ReachingEvent(version, reached.reading_us))

    async def _fold_standing(self, event: Event, period: str, standings: Standings) -> None:
        known = self._stored.all_time.get(event.player)
        user_id, name = (known.user_id, known.name) if known else (f"player {event.player}", None)
        before = standings.get(event.player)
        seq = event.seq or (before.name_version if before else 0)
        after = fold(
            self.definition,
            before,
            event,
            Player(event.player, user_id, name, seq, is_banned=False),
            period,
            listed=self._effective.is_listed(event.player),
            after_void=None
            if event.target_version is None
            else await self._values_after_void(event, period, before),
        )
        if self._order is not None and self._order[0] == period:
            order = self._order[1]
            if before is not None and before.listed:
                del order[bisect_left(order, self._order_key(before))]
            if after.listed:
                insort(order, self._order_key(after))
        standings[event.player] = after

    def _order_key(self, standing: Standing) -> OrderKey:
        key = order_key(self.definition, standing.values, standing.reached_version)
        return (*key, standing.player)
