"""The proof: events are gapless, and their fold is the standings, and these in THE order are the ranking.

It needs no lock and no long transaction. The standings are read page by page, which ends at some version that the board
really had; the ledger up to there can never change.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scoreboard.healing import PAGE_SIZE
from scoreboard.interfaces import Ranking, Store
from scoreboard.model import ChangeKind, Event, Snapshot, Standing, order_key
from scoreboard.rules import fold

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
    differences = await _compare_ranking(reading)
    folded: dict[int, Standing] = {}
    differences += await _fold_ledger(reading, folded)
    differences += _compare(folded, reading.standings)
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


async def _fold_ledger(reading: _Reading, folded: dict[int, Standing]) -> list[str]:
    """Fold the events up to the version of the standings; what is wrong with the ledger in itself."""
    differences: list[str] = []
    seen = 0
    action_seqs: dict[tuple[int, str], int] = {}
    seqs: dict[int, int] = {}
    previous: Event | None = None
    while seen < reading.version:
        stretch = await reading.store.events(reading.board, seen, PAGE_SIZE)
        events = [event for event in stretch if event.version <= reading.version]
        if not events:
            differences.append(f"event {seen + 1}: missing, up to version {reading.version}")
            break
        for event in events:
            differences += _check_event(event, previous, folded.get(event.player))
            differences += _check_counts(event, seqs, action_seqs)
            known = reading.standings.get(event.player)
            user_id, name = (known.user_id, known.name) if known else (f"player {event.player}", None)
            folded[event.player] = fold(folded.get(event.player), event, user_id, name)
            previous = event
        seen = events[-1].version
        reading.report("events", seen, reading.version)
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
        elif expected != found:
            differences.append(f"player {player}: standing {_told(found)}, but its events fold to {_told(expected)}")
    return differences


def _told(standing: Standing) -> str:
    return f"{standing.score} reached at version {standing.reached_version}, last event {standing.version}"


async def _compare_ranking(reading: _Reading) -> list[str]:
    """Bring standings and ranking to one version, and compare the one's order with the other's pages.

    Where servers move the ranking on between two pages, it is read again.
    """
    while True:
        await reading.move_on()
        listed = sorted((s for s in reading.standings.values() if s.listed), key=order_key)
        differences: list[str] = []
        for offset in range(0, max(len(listed), 1), PAGE_SIZE):
            page = await reading.ranking.page(reading.board, PAGE_SIZE, offset)
            if page.version != reading.version:
                break
            if page.players != len(listed):
                return [f"ranking: has {page.players} players, but {len(listed)} are listed"]
            expected = listed[offset : offset + PAGE_SIZE]
            differences += _compare_page(page, expected)
            reading.report("ranking", offset + len(expected), len(listed))
        else:
            return differences


def _compare_page(page: Snapshot, expected: Sequence[Standing]) -> Iterator[str]:
    for entry, standing in zip(page.entries, expected, strict=True):
        if (entry.user_id, entry.name, entry.score) != (standing.user_id, standing.name, standing.score):
            yield (
                f"ranking: rank {entry.rank} is {entry.user_id} with {entry.score}, "
                f"but should be {standing.user_id} with {standing.score}"
            )
