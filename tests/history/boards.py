"""Check every frame, rank and final board against a replay of the ledger.

`ReplayedBoard` is `tests.replay` event by event. It shares no code with the product either.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator

from scoreboard.domain.events import Event
from scoreboard.domain.standings import Entry, Snapshot
from tests.history.records import TOP, Acknowledged, Attempt, Frame, History
from tests.history.submissions import begins, last_possible


class ReplayedBoard:
    """A board after a number of events of its ledger."""

    def __init__(self) -> None:
        self._order: list[tuple[int, int, int]] = []
        self._places: dict[int, tuple[int, int, int]] = {}
        self._events: dict[int, Event] = {}
        self._counted: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self._banned: set[int] = set()
        self._hidden: set[int] = set()
        self.at_us = 0

    def __len__(self) -> int:
        return len(self._order)

    def append(self, event: Event) -> None:
        """Apply the next event."""
        player, known = event.player, self._places.get(event.player)
        if known is not None and self._is_listed(player):
            del self._order[bisect_left(self._order, known)]
        self._events[event.version] = event
        self.at_us = event.reading_us
        reached = known[1] if known else event.version
        if event.kind in {"award", "adjust"}:
            if event.points or not self._counted[player]:
                reached = event.version
            self._counted[player][event.version] = event.points
        elif event.target_version is not None:
            reached = self._void(player, event)
        elif event.kind in {"ban", "erase"}:
            self._banned.add(player)
        elif event.kind == "unban":
            self._banned.remove(player)
        elif event.kind == "show":
            self._hidden.remove(player)
        if event.kind == "hide" or event.hides:
            self._hidden.add(player)
        place = ((known[0] if known else 0) - event.points, reached, player)
        self._places[player] = place
        if self._is_listed(player):
            insort(self._order, place)

    def _is_listed(self, player: int) -> bool:
        return player not in self._banned and player not in self._hidden

    def _void(self, player: int, event: Event) -> int:
        """Count a void or an unvoid. Return the event that reaches the score without all void events."""
        counted, target = self._counted[player], event.target_version
        assert target is not None
        if event.kind == "void":
            del counted[target]
        else:
            counted[target] = self._events[target].points
        moving = [version for version, points in counted.items() if points]
        first = next(each.version for each in self._events.values() if each.player == player)
        return max(moving) if moving else min(counted, default=first)

    def rank(self, player: int) -> int | None:
        """Return a player's rank, or None if the player is not listed."""
        return bisect_left(self._order, self._places[player]) + 1 if self._is_listed(player) else None

    def entries(self, limit: int, history: History) -> tuple[Entry, ...]:
        """Return the first entries, in order of rank."""
        return tuple(
            Entry(rank, history.user(player), None, -negative, self._events[reached].reading_us)
            for rank, (negative, reached, player) in enumerate(self._order[:limit], start=1)
        )


def shown(history: History) -> Iterator[str]:
    """Check that each frame and final read is the board after exactly `version` events of its ledger."""
    frames: defaultdict[str, defaultdict[int, list[Frame]]] = defaultdict(lambda: defaultdict(list))
    for frame in (*history.frames, *history.finals):
        frames[frame.snapshot.board][frame.snapshot.version].append(frame)
    ledgers = history.ledgers()
    for board, by_version in frames.items():
        replayed = ReplayedBoard()
        yield from _compare(by_version.pop(0, []), replayed, history)
        for event in ledgers.get(board, []):
            replayed.append(event)
            yield from _compare(by_version.pop(event.version, []), replayed, history)
        for unheard_of in by_version.values():
            yield from (f"{frame}, which the ledger does not have" for frame in unheard_of)


def _compare(frames: list[Frame], replayed: ReplayedBoard, history: History) -> Iterator[str]:
    expected: dict[int, tuple[Entry, ...]] = {}
    for frame in frames:
        if frame.limit not in expected:
            expected[frame.limit] = replayed.entries(frame.limit, history)
        differences = _differences(frame, replayed, expected[frame.limit])
        yield from (f"{frame} shows {difference}" for difference in differences)


def _differences(frame: Frame, replayed: ReplayedBoard, expected: tuple[Entry, ...]) -> Iterator[str]:
    snapshot: Snapshot = frame.snapshot
    if snapshot.players != len(replayed):
        yield f"{snapshot.players} players, and the ledger says {len(replayed)}"
    if snapshot.reading_us != replayed.at_us:
        yield f"the time {snapshot.reading_us}, and the ledger says {replayed.at_us}"
    if len(snapshot.entries) != len(expected):
        yield f"{len(snapshot.entries)} entries, and the ledger says {len(expected)}"
    for entry, truth in zip(snapshot.entries, expected, strict=False):
        if entry != truth:
            yield f"{entry}, and the ledger says {truth}"
            return


def ranks(history: History) -> Iterator[str]:
    """Check that the player had each answered rank at the event's version, or later, before the answer."""
    waiting: defaultdict[str, defaultdict[int, list[tuple[Attempt, Acknowledged]]]]
    waiting = defaultdict(lambda: defaultdict(list))
    for attempt, answer in history.acknowledged():
        if answer.rank is not None:
            waiting[answer.board][answer.version].append((attempt, answer))
    begun = begins(history)
    for board, ledger in history.ledgers().items():
        replayed = ReplayedBoard()
        pending: list[tuple[Attempt, Acknowledged, int, int]] = []
        for event in ledger:
            replayed.append(event)
            pending += (
                (attempt, answer, event.player, last_possible(begun[board], attempt.ended, ledger))
                for attempt, answer in waiting[board].pop(event.version, [])
            )
            pending = [known for known in pending if replayed.rank(known[2]) != known[1].rank]
            for attempt, answer, _, last in pending:
                if last <= event.version:
                    yield (
                        f"wrong rank: {attempt} was answered with "
                        f"{answer.rank}{' in a repeat' * answer.replayed}, "
                        f"which the player had at no version from {answer.version} to {last}"
                    )
            pending = [known for known in pending if known[3] > event.version]


def back(history: History) -> Iterator[str]:
    """Check that no watcher goes back, on any instance, and that each watcher sees its own board."""
    newest: dict[str, Frame] = {}
    for frame in history.frames:
        if frame.snapshot.board != history.watchers[frame.watcher]:
            yield f"{frame}, and it watches {history.watchers[frame.watcher]}"
        before = newest.get(frame.watcher)
        if before is not None and frame.snapshot.version < before.snapshot.version:
            yield f"{frame} goes back: it had seen version {before.snapshot.version} from {before.instance}"
        newest[frame.watcher] = frame


def ends(history: History) -> Iterator[str]:
    """Check that all watchers end on the final board, and that all instances show it."""
    last = {frame.watcher: frame for frame in history.frames}
    most = max((frame.limit for frame in (*history.finals, *last.values())), default=TOP)
    heads: dict[str, int] = {}
    finals: dict[str, tuple[Entry, ...]] = {}
    ledgers = history.ledgers()
    for board in history.boards():
        replayed = ReplayedBoard()
        for event in ledgers.get(board, []):
            replayed.append(event)
            heads[board] = event.version
        finals[board] = replayed.entries(most, history)
    for watcher, board in history.watchers.items():
        frame = last.get(watcher)
        if frame is None:
            yield f"{watcher} was never shown board {board}"
        elif frame.snapshot.entries != finals[board][: frame.limit]:
            yield f"{frame} is the last it was shown, and is not the final board at {heads.get(board, 0)}"
    reads = {(read.instance, read.snapshot.board): read.snapshot.version for read in history.finals}
    for instance in history.instances:
        for board in history.boards():
            version = reads.get((instance, board))
            if version is None:
                yield f"{instance} did not show board {board} at the end"
            elif version != heads.get(board, 0):
                yield (
                    f"{instance} ends at version {version} of {board}, and the ledger at "
                    f"{heads.get(board, 0)}"
                )
