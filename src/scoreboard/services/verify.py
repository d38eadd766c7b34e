"""The proof: events are gapless, and their fold is the standings, and these in THE order are the ranking.

It needs no lock and no long transaction. The standings are read page by page, which ends at some version that the board
really had; the ledger up to there can never change. Of the ranking it asks nothing but to be read: what is wrong there
is told, not mended. Only one that is behind, or not filled yet, is brought up as a server would.
"""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scoreboard.domain.effective_history import EffectiveHistory
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.events import Event, Head, Reached
from scoreboard.domain.folding import fold
from scoreboard.domain.ledger_checks import check_counts, check_event, check_target
from scoreboard.domain.standings import ChangeKind, Snapshot, Standing, order_key
from scoreboard.domain.windows import is_ahead
from scoreboard.ports.ranking import Ranking
from scoreboard.ports.store import Store
from scoreboard.services.apply import PAGE_SIZE, Applier
from scoreboard.services.verify_notices import clock_notices

TRIES: Final = 20
PAUSE_SECONDS: Final = 0.1
"""How often, and after what pause, a page is read again that is behind or differs: a server's commit is in the store a
moment before it is in the ranking. What still differs after these two seconds is a difference."""

SHOWN_DIFFERENCES: Final = 100
"""Past these a list helps nobody: something is wrong in general."""

Report = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a board was found to be; it is whole where `differences` is empty."""

    board: str
    version: int
    players: int
    differences: tuple[str, ...]
    notices: tuple[str, ...] = ()
    """Events that were written while the clock ran ahead. They are not differences."""


async def verify(store: Store, ranking: Ranking | None, board: str, report: Report) -> Verdict:
    """Check one board, also while it is written to; without a ranking, only what is in the store.

    Raises StoreUnavailable, RankingUnavailable.
    """
    reading = _Reading(store, board, report)
    await reading.move_on()
    ledger = _Ledger(reading)
    differences = await ledger.fold_to(reading.version)
    differences += _compare(ledger.folded, reading.standings)
    if ranking is not None and not differences:
        # Against a ledger that is broken in itself, nothing can be said of the ranking.
        differences += await _Order(reading, ledger, ranking).compare()
    differences += await _look_past_the_head(reading)
    shown = differences[:SHOWN_DIFFERENCES]
    if len(differences) > len(shown):
        shown.append(f"… and {len(differences) - len(shown)} more")
    notices = await clock_notices(store, board, ledger.set_back_at) if ledger.set_back_at else ()
    return Verdict(board, reading.version, len(reading.standings), tuple(shown), tuple(notices))


class _Reading:
    """The standings of a board at a version, which can be moved on to a newer one."""

    def __init__(self, store: Store, board: str, report: Report) -> None:
        self.store = store
        self.board = board
        self.report = report
        self.version = 0
        self.standings: dict[int, Standing] = {}

    async def move_on(self) -> None:
        """To the store's head."""
        while True:
            change = await self.store.changes(self.board, self.version, PAGE_SIZE)
            self.standings.update((standing.player, standing) for standing in change.standings)
            self.version = change.to_version
            self.report("standings", self.version, max(self.version, (await self.head()).version))
            if change.kind is ChangeKind.LAST_PAGE:
                return

    async def ask_for_names(self, players: Iterable[int]) -> None:
        """Of players that may have got a new one since, on another board."""
        for player in players:
            change = await self.store.changes(self.board, self.standings[player].version - 1, 1)
            self.standings.update((standing.player, standing) for standing in change.standings)
        # Whoever has moved on meanwhile was not among them.
        await self.move_on()

    async def head(self) -> Head:
        return (await self.store.heads())[self.board]


class _Ledger:
    """The fold of the events up to a version, each of them looked at."""

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._previous: Event | None = None
        self._seqs: dict[int, int] = {}
        self._action_seqs: dict[tuple[int, str], int] = {}
        self._order: list[_Place] | None = None
        self.version = 0
        self.at_us = 0
        self.set_back_at = 0
        """The last event before which the clock was set back, or 0."""
        self.folded: dict[int, Standing] = {}
        self._effective = EffectiveHistory()

    def sort(self) -> list["_Place"]:
        """The listed standings in THE order; it is kept from now on."""
        self._order = sorted(_place(standing) for standing in self.folded.values() if standing.listed)
        return self._order

    async def fold_to(self, version: int) -> list[str]:
        """Fold on; what is wrong with the ledger in itself."""
        differences: list[str] = []
        reading = self._reading
        while self.version < version:
            stretch = await reading.store.events(
                reading.board, self.version, min(PAGE_SIZE, version - self.version)
            )
            events = [event for event in stretch if event.version <= version]
            if not events:
                differences.append(f"event {self.version + 1}: missing, up to version {version}")
                break
            for event in events:
                differences += check_event(event, self._previous, self.folded.get(event.player))
                differences += check_counts(event, self._seqs, self._action_seqs)
                if event.target_version is not None:
                    is_void = self._effective.is_void(event.target_version)
                    differences += check_target(event, await self._event(event.target_version), is_void)
                self._effective.append(event)
                self._fold(event, None if event.target_version is None else await self._reached(event.player))
            reading.report("events", self.version, version)
        return differences

    async def _event(self, version: int) -> Event | None:
        return next(iter(await self._reading.store.events(self._reading.board, version - 1, 1)), None)

    async def _reached(self, player: int) -> Reached | None:
        """Return the event that reached a player's score after a void or an unvoid."""
        version = self._effective.reached_version(player)
        event = None if version is None else await self._event(version)
        return None if event is None else Reached(event.version, event.reading_us)

    def _fold(self, event: Event, reached: Reached | None) -> None:
        known = self._reading.standings.get(event.player)
        user_id, name = (known.user_id, known.name) if known else (f"player {event.player}", None)
        before = self.folded.get(event.player)
        listed = self._effective.is_listed(event.player)
        after = fold(before, event, user_id, name, reached=reached, listed=listed)
        if self._order is not None:
            if before is not None and before.listed:
                del self._order[bisect_left(self._order, _place(before))]
            if after.listed:
                insort(self._order, _place(after))
        self.folded[event.player] = after
        if self._previous is not None and is_ahead(self._previous.reading_us, event.reading_us):
            self.set_back_at = event.version
        self._previous = event
        self.version, self.at_us = event.version, event.reading_us


_Place = tuple[int, int, int]


def _place(standing: Standing) -> _Place:
    return (*order_key(standing), standing.player)


class _Order:
    """The ranking's pages beside the ledger's order, each at the version that the page has.

    Servers may move the ranking on between two pages: then the ledger is folded on to where it is.
    """

    def __init__(self, reading: _Reading, ledger: _Ledger, ranking: Ranking) -> None:
        self._reading = reading
        self._ledger = ledger
        self._ranking = ranking
        self._applier = Applier(reading.store, ranking)

    async def compare(self) -> list[str]:
        differences: list[str] = []
        order = self._ledger.sort()
        offset = 0
        while offset <= len(order) and not differences:
            differences = await self._compare_page(order, offset)
            offset += PAGE_SIZE
            self._reading.report("ranking", min(offset, len(order)), len(order))
        return differences

    async def _compare_page(self, order: Sequence["_Place"], offset: int) -> list[str]:
        """What still differs once all that is under way has had its time."""
        differences: list[str] = []
        for number in range(TRIES):
            if number:
                await asyncio.sleep(PAUSE_SECONDS)
            try:
                page = await self._ranking.page(self._reading.board, PAGE_SIZE, offset)
            except RankingUnavailable:
                if number == TRIES - 1:
                    raise
                differences = await self._bring_up()
                continue
            if page.version < self._ledger.version:
                differences = await self._bring_up()
                differences.append(f"ranking: stays at version {page.version}, behind {self._ledger.version}")
                continue
            if page.version > self._ledger.version:
                await self._reading.move_on()
                if page.version > self._reading.version:
                    return [
                        f"ranking: is at version {page.version}, beyond the board's, {self._reading.version}"
                    ]
                if differences := await self._ledger.fold_to(page.version):
                    return differences
            expected = [self._ledger.folded[player] for *_, player in order[offset : offset + PAGE_SIZE]]
            differences = self._differences(page, len(order), expected)
            if not differences:
                break
            await self._reading.ask_for_names(
                standing.player
                for entry, standing in zip(page.entries, expected, strict=False)
                if entry.name != self._reading.standings[standing.player].name
            )
        return differences

    async def _bring_up(self) -> list[str]:
        """As a server would; but a ranking of another history, which a server would fill anew, is told."""
        board = self._reading.board
        progress = await self._ranking.progress(board)
        head = await self._reading.head()
        if progress.version > head.version:
            return [f"ranking: is at version {progress.version}, beyond the board's, {head.version}"]
        if not await self._applier.is_same_history(board, progress, head):
            return [f"ranking: is at version {progress.version} of another history than the ledger's"]
        await self._applier.heal(board)
        return []

    def _differences(self, page: Snapshot, listed: int, expected: Sequence[Standing]) -> list[str]:
        if page.at_us != self._ledger.at_us:
            return [
                f"ranking: version {page.version} is of {page.at_us}, but its event of {self._ledger.at_us}"
            ]
        if page.players != listed or len(page.entries) != len(expected):
            return [f"ranking: has {page.players} players, but {listed} are listed"]
        return list(_compare_entries(page, expected, self._reading.standings))


async def _look_past_the_head(reading: _Reading) -> list[str]:
    """The head is read last: what is newer than it then was not committed by any scoreboard."""
    newer = await reading.store.events(reading.board, reading.version, PAGE_SIZE)
    head = await reading.head()
    return [
        f"event {event.version}: beyond the board's version, {head.version}"
        for event in newer
        if event.version > head.version
    ]


def _compare(folded: Mapping[int, Standing], standings: Mapping[int, Standing]) -> list[str]:
    differences = []
    for player in sorted(folded.keys() | standings.keys()):
        expected, found = folded.get(player), standings.get(player)
        if found is None:
            differences.append(f"player {player}: has events but no standing")
        elif expected is None:
            differences.append(f"player {player}: has a standing of {found.score} but no events")
        elif found.seq < expected.seq:
            differences.append(
                f"player {player}: has made {found.seq} submissions, but its events say {expected.seq}"
            )
        elif replace(expected, seq=found.seq) != found:
            differences.append(
                f"player {player}: standing {_told(found)}, but its events fold to {_told(expected)}"
            )
    return differences


def _told(standing: Standing) -> str:
    return f"{standing.score} reached at version {standing.reached_version}, last event {standing.version}"


def _compare_entries(
    page: Snapshot, expected: Sequence[Standing], newest: Mapping[int, Standing]
) -> Iterator[str]:
    for entry, standing in zip(page.entries, expected, strict=True):
        shown = (entry.user_id, entry.score, entry.reached_at_us)
        if shown != (standing.user_id, standing.score, standing.reached_at_us):
            yield (
                f"ranking: rank {entry.rank} is {entry.user_id} with {entry.score}, "
                f"but should be {standing.user_id} with {standing.score}"
            )
        elif entry.name != newest[standing.player].name:
            yield f"ranking: {entry.user_id} is named {entry.name}, but should be {newest[standing.player].name}"
