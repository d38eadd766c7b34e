"""The standings of a board in the store, for `verify`, and their comparison with the fold of the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import Head
from scoreboard.domain.standings import ChangeKind, Standing
from scoreboard.ports.progress import Report
from scoreboard.ports.store import Store
from scoreboard.services.apply import PAGE_SIZE

Standings = dict[int, Standing]
"""The standings of a period, by player key."""


class StoredStandings:
    """The standings of the open periods in the store at one version, which can be moved to a newer one."""

    def __init__(self, store: Store, board: str, report: Report) -> None:
        self.store = store
        self.board = board
        self.report = report
        self.version = 0
        self.periods: dict[str, Standings] = {ALL_TIME: {}}

    @property
    def all_time(self) -> Standings:
        return self.periods[ALL_TIME]

    async def update(self) -> None:
        """Read what has changed, up to the store's newest version."""
        while True:
            change = await self.store.changes(self.board, self.version, PAGE_SIZE)
            self._add(change.standings)
            self.version = change.to_version
            self.report("standings", self.version, max(self.version, (await self.head()).version))
            if change.kind is ChangeKind.LAST_PAGE:
                self.periods = {period: self.periods.get(period, {}) for period in change.periods}
                return

    def _add(self, standings: Iterable[Standing]) -> None:
        for standing in standings:
            self.periods.setdefault(standing.period, {})[standing.player] = standing

    async def update_names(self, players: Iterable[int]) -> None:
        """Read the names of players again: a submission on another board may have changed them."""
        for player in players:
            change = await self.store.changes(self.board, self.all_time[player].version - 1, 1)
            self._add(change.standings)
        # A player with a new event has a newer version now, and was not in those changes.
        await self.update()

    async def of_period(self, period: str) -> Standings:
        """Read the standings of a period that is over."""
        found: Standings = {}
        version = 0
        while page := await self.store.standings(self.board, period, version, PAGE_SIZE):
            found.update((standing.player, standing) for standing in page)
            version = page[-1].version
        return found

    async def head(self) -> Head:
        """Return the board's newest version in the store."""
        return (await self.store.heads())[self.board]


def compare_standings(
    folded: Mapping[int, Standing], stored: Mapping[int, Standing], period: str = ALL_TIME
) -> list[str]:
    """Return the differences between the fold of the events and the standings in the store."""
    differences = []
    where = "" if period == ALL_TIME else f" in {period}"
    for player in sorted(folded.keys() | stored.keys()):
        expected, found = folded.get(player), stored.get(player)
        whose = f"player {player}{where}"
        if found is None:
            differences.append(f"{whose}: has events but no standing")
        elif expected is None:
            differences.append(f"{whose}: has a standing of {found.score} but no events")
        elif found.name_version < expected.name_version:
            differences.append(
                f"{whose}: its name version is {found.name_version} in the store, "
                f"but its events lead to {expected.name_version}"
            )
        elif _with_name_of(found, expected) != found:
            differences.append(
                f"{whose}: standing {_summary(found)}, but its events fold to {_summary(expected)}"
            )
    return differences


def _with_name_of(found: Standing, expected: Standing) -> Standing:
    """Return the expected standing with the names of the other: names are not in the ledger."""
    return replace(expected, user_id=found.user_id, name=found.name, name_version=found.name_version)


def _summary(standing: Standing) -> str:
    values = "/".join(map(str, standing.values))
    return f"{values} reached at version {standing.reached_version}, last event {standing.version}"


async def check_head(stored: StoredStandings) -> list[str]:
    """Return the events beyond the board's head, which is read after them: new commits are not reported."""
    newer = await stored.store.events(stored.board, stored.version, PAGE_SIZE)
    head = await stored.head()
    return [
        f"event {event.version}: beyond the board's version, {head.version}"
        for event in newer
        if event.version > head.version
    ]
