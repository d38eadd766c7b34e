"""The proof: events are gapless, and their fold is the standings, and these in THE order are the ranking.

It needs no lock and no long transaction. The standings are read page by page, which ends at some version that the board
really had; the ledger up to there can never change.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scoreboard.healing import PAGE_SIZE
from scoreboard.interfaces import Ranking, Store
from scoreboard.model import ChangeKind, Event, Snapshot, Standing, order_key
from scoreboard.rules import fold

BEHIND: Final = 20
"""How often a ranking that is behind is brought up before it counts as stuck."""

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


async def verify(store: Store, ranking: Ranking, board: str, report: Report) -> Verdict:
    """Check one board, also while it is written to. A ranking that is behind is brought up, as a server would.

    Raises StoreUnavailable, RankingUnavailable.
    """
    reading = _Reading(store, ranking, board, report)
    await reading.move_on()
    ledger = _Ledger(reading)
    differences = await ledger.fold_to(reading.version)
    differences += _compare(ledger.folded, reading.standings)
    if not differences:
        # Against a ledger that is broken in itself, nothing can be said of the ranking.
        differences += await _compare_ranking(reading, ledger)
    differences += await _look_past_the_head(reading)
    shown = differences[:SHOWN_DIFFERENCES]
    if len(differences) > len(shown):
        shown.append(f"… and {len(differences) - len(shown)} more")
    return Verdict(board, reading.version, len(reading.standings), tuple(shown))


class _Reading:
    """The standings of a board at a version, which can be moved on to a newer one."""

    def __init__(self, store: Store, ranking: Ranking, board: str, report: Report) -> None:
        self.store = store
        self.ranking = ranking
        self.board = board
        self.report = report
        self.version = 0
        self.standings: dict[int, Standing] = {}

    async def move_on(self) -> None:
        """To the store's head, and the ranking likewise, by the very same changes."""
        while True:
            change = await self.store.changes(self.board, self.version, PAGE_SIZE)
            await self.ranking.apply(change)
            self.standings.update((standing.player, standing) for standing in change.standings)
            self.version = change.to_version
            self.report("standings", self.version, max(self.version, (await self.store.heads())[self.board].version))
            if change.kind is ChangeKind.LAST_PAGE:
                return


class _Ledger:
    """The fold of the events up to a version, each of them looked at."""

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._previous: Event | None = None
        self._seqs: dict[int, int] = {}
        self._action_seqs: dict[tuple[int, str], int] = {}
        self._order: list[_Place] | None = None
        self.version = 0
        self.folded: dict[int, Standing] = {}

    def sort(self) -> list["_Place"]:
        """The listed standings in THE order; it is kept from now on."""
        self._order = sorted(_place(standing) for standing in self.folded.values() if standing.listed)
        return self._order

    async def fold_to(self, version: int) -> list[str]:
        """Fold on; what is wrong with the ledger in itself."""
        differences: list[str] = []
        reading = self._reading
        while self.version < version:
            stretch = await reading.store.events(reading.board, self.version, min(PAGE_SIZE, version - self.version))
            events = [event for event in stretch if event.version <= version]
            if not events:
                differences.append(f"event {self.version + 1}: missing, up to version {version}")
                break
            for event in events:
                differences += _check_event(event, self._previous, self.folded.get(event.player))
                differences += _check_counts(event, self._seqs, self._action_seqs)
                self._fold(event)
            reading.report("events", self.version, version)
        return differences

    def _fold(self, event: Event) -> None:
        known = self._reading.standings.get(event.player)
        user_id, name = (known.user_id, known.name) if known else (f"player {event.player}", None)
        before = self.folded.get(event.player)
        after = fold(before, event, user_id, name)
        if self._order is not None:
            if before is not None and before.listed:
                del self._order[bisect_left(self._order, _place(before))]
            if after.listed:
                insort(self._order, _place(after))
        self.folded[event.player] = after
        self._previous = event
        self.version = event.version


_Place = tuple[int, int, int]


def _place(standing: Standing) -> _Place:
    return (*order_key(standing), standing.player)


async def _compare_ranking(reading: _Reading, ledger: _Ledger) -> list[str]:
    """Compare the ranking's pages with the ledger's order, each at the version that the page has.

    Servers may move the ranking on between two pages: then the ledger is folded on to where it is.
    """
    differences: list[str] = []
    order = ledger.sort()
    offset = behind = 0
    while offset <= len(order):
        page = await reading.ranking.page(reading.board, PAGE_SIZE, offset)
        if page.version != ledger.version:
            await reading.move_on()
        if page.version < ledger.version:
            behind += 1
            if behind > BEHIND:
                return [*differences, f"ranking: stays at version {page.version}, behind {ledger.version}"]
            continue
        differences += await ledger.fold_to(page.version)
        if page.players != len(order):
            return [*differences, f"ranking: has {page.players} players, but {len(order)} are listed"]
        expected = [ledger.folded[player] for *_, player in order[offset : offset + PAGE_SIZE]]
        different = list(_compare_page(page, expected, reading.standings))
        if different:
            # The ranking may know a new name a moment before the score that brings it.
            await reading.move_on()
            different = list(_compare_page(page, expected, reading.standings))
        differences += different
        offset += PAGE_SIZE
        reading.report("ranking", min(offset, len(order)), len(order))
    return differences


async def _look_past_the_head(reading: _Reading) -> list[str]:
    """The head is read last: what is newer than it then was not committed by any scoreboard."""
    newer = await reading.store.events(reading.board, reading.version, PAGE_SIZE)
    head = (await reading.store.heads())[reading.board]
    return [
        f"event {event.version}: beyond the board's version, {head.version}"
        for event in newer
        if event.version > head.version
    ]


def _check_event(event: Event, previous: Event | None, standing: Standing | None) -> Iterator[str]:
    expected = 1 if previous is None else previous.version + 1
    if event.version != expected:
        yield f"event {expected}: missing, the next one is {event.version}"
    if previous is not None and event.at_us < previous.at_us:
        yield f"event {event.version}: earlier than the one before it"
    before = standing.score if standing else 0
    if event.score != before + event.points:
        yield f"event {event.version}: says score {event.score}, but {before} + {event.points} points is another"


def _check_counts(event: Event, seqs: dict[int, int], action_seqs: dict[tuple[int, str], int]) -> Iterator[str]:
    """What the limit and the rules count by: each use of an action, and the player's submissions on all boards."""
    use = (event.player, event.action_id)
    action_seqs[use] = action_seqs.get(use, 0) + 1
    if event.action_seq != action_seqs[use]:
        yield f"event {event.version}: says use {event.action_seq} of its action, but it is use {action_seqs[use]}"
    if event.seq <= seqs.get(event.player, 0):
        yield f"event {event.version}: says submission {event.seq} of its player, after {seqs[event.player]}"
    seqs[event.player] = event.seq


def _compare(folded: Mapping[int, Standing], standings: Mapping[int, Standing]) -> list[str]:
    differences = []
    for player in sorted(folded.keys() | standings.keys()):
        expected, found = folded.get(player), standings.get(player)
        if found is None:
            differences.append(f"player {player}: has events but no standing")
        elif expected is None:
            differences.append(f"player {player}: has a standing of {found.score} but no events")
        elif found.seq < expected.seq:
            differences.append(f"player {player}: has made {found.seq} submissions, but its events say {expected.seq}")
        elif replace(expected, seq=found.seq) != found:
            differences.append(f"player {player}: standing {_told(found)}, but its events fold to {_told(expected)}")
    return differences


def _told(standing: Standing) -> str:
    return f"{standing.score} reached at version {standing.reached_version}, last event {standing.version}"


def _compare_page(page: Snapshot, expected: Sequence[Standing], newest: Mapping[int, Standing]) -> Iterator[str]:
    for entry, standing in zip(page.entries, expected, strict=True):
        shown = (entry.user_id, entry.score, entry.reached_at_us)
        if shown != (standing.user_id, standing.score, standing.reached_at_us):
            yield (
                f"ranking: rank {entry.rank} is {entry.user_id} with {entry.score}, "
                f"but should be {standing.user_id} with {standing.score}"
            )
        elif entry.name not in {standing.name, newest[standing.player].name}:
            yield f"ranking: {entry.user_id} is named {entry.name}, but should be {newest[standing.player].name}"
