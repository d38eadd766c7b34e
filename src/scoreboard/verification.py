"""The proof: events are gapless, and their fold is the standings, and these in THE order are the ranking.

It needs no lock and no long transaction. The standings are read page by page, which ends at some version that the board
really had; the ledger up to there can never change.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scoreboard.healing import PAGE_SIZE, Healing
from scoreboard.interfaces import Ranking, Store
from scoreboard.model import ChangeKind, Event, Standing, order_key
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
    """Check one board, also while it is written to. The ranking is healed first, as it would be by a server.

    Raises StoreUnavailable, RankingUnavailable.
    """
    version, standings = await _read_standings(store, board, report)
    folded: dict[int, Standing] = {}
    differences = await _fold_ledger(store, board, version, standings, folded, report)
    differences += _compare(folded, standings)
    differences += await _compare_ranking(store, ranking, board, report)
    shown = differences[:SHOWN_DIFFERENCES]
    if len(differences) > len(shown):
        shown.append(f"… and {len(differences) - len(shown)} more")
    return Verdict(board, version, len(standings), tuple(shown))


async def _read_standings(store: Store, board: str, report: Report) -> tuple[int, dict[int, Standing]]:
    head = (await store.heads())[board]
    standings: dict[int, Standing] = {}
    version = 0
    while True:
        change = await store.changes(board, version, PAGE_SIZE)
        standings.update((standing.player, standing) for standing in change.standings)
        version = change.to_version
        report("standings", min(version, head.version), head.version)
        if change.kind is ChangeKind.LAST_PAGE:
            return version, standings


async def _fold_ledger(
    store: Store,
    board: str,
    version: int,
    standings: Mapping[int, Standing],
    folded: dict[int, Standing],
    report: Report,
) -> list[str]:
    """Fold the events up to a version; what is wrong with the ledger in itself."""
    differences: list[str] = []
    seen = 0
    action_seqs: dict[tuple[int, str], int] = {}
    previous: Event | None = None
    while seen < version:
        events = [event for event in await store.events(board, seen, PAGE_SIZE) if event.version <= version]
        if not events:
            differences.append(f"event {seen + 1}: missing, up to version {version}")
            break
        for event in events:
            differences += _check_event(event, previous, folded.get(event.player), action_seqs)
            known = standings.get(event.player)
            user_id, name = (known.user_id, known.name) if known else (f"player {event.player}", None)
            folded[event.player] = fold(folded.get(event.player), event, user_id, name)
            previous = event
        seen = events[-1].version
        report("events", seen, version)
    return differences


def _check_event(
    event: Event, previous: Event | None, standing: Standing | None, action_seqs: dict[tuple[int, str], int]
) -> Iterator[str]:
    expected = 1 if previous is None else previous.version + 1
    if event.version != expected:
        yield f"event {expected}: missing, the next one is {event.version}"
    if previous is not None and event.at_us < previous.at_us:
        yield f"event {event.version}: earlier than the one before it"
    before = standing.score if standing else 0
    if event.score != before + event.points:
        yield f"event {event.version}: says score {event.score}, but {before} + {event.points} points is another"
    use = (event.player, event.action_id)
    action_seqs[use] = action_seqs.get(use, 0) + 1
    if event.action_seq != action_seqs[use]:
        yield f"event {event.version}: says use {event.action_seq} of its action, but it is use {action_seqs[use]}"


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


async def _compare_ranking(store: Store, ranking: Ranking, board: str, report: Report) -> list[str]:
    """Page through the ranking, and compare it with the standings in order, both at one version.

    Where a server moves the ranking on between two pages, it is read again.
    """
    while True:
        await Healing(store, ranking, (board,)).heal(board)
        version, standings = await _read_standings(store, board, lambda *_: None)
        listed = sorted((s for s in standings.values() if s.listed), key=order_key)
        differences: list[str] = []
        for offset in range(0, max(len(listed), 1), PAGE_SIZE):
            page = await ranking.page(board, PAGE_SIZE, offset)
            if page.version != version:
                break
            if page.players != len(listed):
                return [f"ranking: has {page.players} players, but {len(listed)} are listed"]
            expected = listed[offset : offset + PAGE_SIZE]
            for entry, standing in zip(page.entries, expected, strict=True):
                if (entry.user_id, entry.name, entry.score) != (standing.user_id, standing.name, standing.score):
                    differences.append(
                        f"ranking: rank {entry.rank} is {entry.user_id} with {entry.score}, "
                        f"but should be {standing.user_id} with {standing.score}"
                    )
            report("ranking", offset + len(expected), len(listed))
        else:
            return differences
