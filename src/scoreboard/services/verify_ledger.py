"""The fold of a board's ledger, for `verify`: checks of each event, and a comparison with the standings."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import replace

from scoreboard.domain.definitions import Definition
from scoreboard.domain.effective_history import EffectiveHistory
from scoreboard.domain.events import Event, Head, ReachingEvent
from scoreboard.domain.folding import ValuesAfterVoid, fold
from scoreboard.domain.ledger_checks import check_counts, check_event, check_score, check_target
from scoreboard.domain.ordering import order_key
from scoreboard.domain.standings import ChangeKind, Player, Standing
from scoreboard.domain.windows import is_ahead
from scoreboard.ports.progress import Report
from scoreboard.ports.store import Store
from scoreboard.services.apply import PAGE_SIZE

OrderKey = tuple[int, ...]


class StoredStandings:
    """The standings of a board in the store at one version, which can be moved to a newer one."""

    def __init__(self, store: Store, board: str, report: Report) -> None:
        self.store = store
        self.board = board
        self.report = report
        self.version = 0
        self.standings: dict[int, Standing] = {}

    async def update(self) -> None:
        """Read what has changed, up to the store's newest version."""
        while True:
            change = await self.store.changes(self.board, self.version, PAGE_SIZE)
            self.standings.update((standing.player, standing) for standing in change.standings)
            self.version = change.to_version
            self.report("standings", self.version, max(self.version, (await self.head()).version))
            if change.kind is ChangeKind.LAST_PAGE:
                return

    async def update_names(self, players: Iterable[int]) -> None:
        """Read the names of players again: a submission on another board may have changed them."""
        for player in players:
            change = await self.store.changes(self.board, self.standings[player].version - 1, 1)
            self.standings.update((standing.player, standing) for standing in change.standings)
        # A player with a new event has a newer version now, and was not in those changes.
        await self.update()

    async def head(self) -> Head:
        """Return the board's newest version in the store."""
        return (await self.store.heads())[self.board]


class LedgerFold:
    """The fold of all events up to a version."""

    def __init__(self, stored: StoredStandings, definition: Definition) -> None:
        self._stored = stored
        self._definition = definition
        self._previous: Event | None = None
        self._seqs: dict[int, int] = {}
        self._action_seqs: dict[tuple[int, str], int] = {}
        self._order: list[OrderKey] | None = None
        self._effective = EffectiveHistory(definition)
        self.standings: dict[int, Standing] = {}
        self.version = 0
        self.reading_us = 0
        self.set_back_version = 0
        """The version of the newest event before which the clock was set back, or 0."""

    def sort(self) -> list[OrderKey]:
        """Return the keys of the listed standings in order. Later folds keep the list up to date."""
        self._order = sorted(
            self._order_key(standing) for standing in self.standings.values() if standing.listed
        )
        return self._order

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
                if event.target_version is not None:
                    is_void = self._effective.is_void(event.target_version)
                    target = await self._event(event.target_version)
                    differences += check_target(event, target, self._definition, is_void=is_void)
                self._effective.append(event)
                after_void = None if event.target_version is None else await self._values_after_void(event)
                after = self._fold(event, after_void)
                differences += check_score(event, after.score)
            self._stored.report("events", self.version, version)
        return differences

    async def _event(self, version: int) -> Event | None:
        return next(iter(await self._stored.store.events(self._stored.board, version - 1, 1)), None)

    async def _values_after_void(self, event: Event) -> ValuesAfterVoid:
        """Return the values of a player after a void or an unvoid."""
        found = self._effective.reached(event.player)
        if found is None:
            return ValuesAfterVoid(None, None)
        version, values = found
        reached = await self._event(version)
        assert reached is not None
        if values is None:
            before = self.standings.get(event.player)
            values = ((before.score if before else 0) + event.points,)
        return ValuesAfterVoid(values, ReachingEvent(version, reached.reading_us))

    def _fold(self, event: Event, after_void: ValuesAfterVoid | None) -> Standing:
        known = self._stored.standings.get(event.player)
        user_id, name = (known.user_id, known.name) if known else (f"player {event.player}", None)
        before = self.standings.get(event.player)
        seq = event.seq or (before.name_version if before else 0)
        after = fold(
            self._definition,
            before,
            event,
            Player(event.player, user_id, name, seq, is_banned=False),
            listed=self._effective.is_listed(event.player),
            after_void=after_void,
        )
        if self._order is not None:
            if before is not None and before.listed:
                del self._order[bisect_left(self._order, self._order_key(before))]
            if after.listed:
                insort(self._order, self._order_key(after))
        self.standings[event.player] = after
        if self._previous is not None and is_ahead(self._previous.reading_us, event.reading_us):
            self.set_back_version = event.version
        self._previous = event
        self.version, self.reading_us = event.version, event.reading_us
        return after

    def _order_key(self, standing: Standing) -> OrderKey:
        key = order_key(self._definition, standing.values, standing.reached_version)
        return (*key, standing.player)


def compare_standings(folded: Mapping[int, Standing], stored: Mapping[int, Standing]) -> list[str]:
    """Return the differences between the fold of the events and the standings in the store."""
    differences = []
    for player in sorted(folded.keys() | stored.keys()):
        expected, found = folded.get(player), stored.get(player)
        if found is None:
            differences.append(f"player {player}: has events but no standing")
        elif expected is None:
            differences.append(f"player {player}: has a standing of {found.score} but no events")
        elif found.name_version < expected.name_version:
            differences.append(
                f"player {player}: its name version is {found.name_version} in the store, "
                f"but its events lead to {expected.name_version}"
            )
        elif replace(expected, name_version=found.name_version) != found:
            differences.append(
                f"player {player}: standing {_summary(found)}, but its events fold to {_summary(expected)}"
            )
    return differences


def _summary(standing: Standing) -> str:
    return f"{standing.score} reached at version {standing.reached_version}, last event {standing.version}"


async def check_head(stored: StoredStandings) -> list[str]:
    """Return the events beyond the board's head, which is read after them: new commits are not reported."""
    newer = await stored.store.events(stored.board, stored.version, PAGE_SIZE)
    head = await stored.head()
    return [
        f"event {event.version}: beyond the board's version, {head.version}"
        for event in newer
        if event.version > head.version
    ]
