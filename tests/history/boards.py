"""Check every frame, rank and final board against a replay of the ledger.

`ReplayedBoard` is `tests.replay` event by event. It shares no code with the product either.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.events import Event
from scoreboard.domain.standings import Entry, Snapshot
from tests.history.records import TOP, Acknowledged, Attempt, Frame, History
from tests.history.submissions import begins, last_possible
from tests.plain_board import kind_of


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
        """Apply the next event. A rollover changes no row."""
        self.at_us = event.reading_us
        if event.period is None:
            self._apply(event)

    def _apply(self, event: Event) -> None:
        player, known = event.player, self._places.get(event.player)
        if known is not None and self._is_listed(player):
            del self._order[bisect_left(self._order, known)]
        self._events[event.version] = event
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
        place = self._places.get(player)
        return bisect_left(self._order, place) + 1 if place and self._is_listed(player) else None

    def entries(self, limit: int, history: History) -> tuple[Entry, ...]:
        """Return the first entries, in order of rank."""
        return tuple(
            Entry(rank, history.user(player), None, -negative, self._events[reached].reading_us)
            for rank, (negative, reached, player) in enumerate(self._order[:limit], start=1)
        )


class ReplayedPeriods:
    """A board in its open periods and of all time, after a number of events of its ledger.

    It knows no corrections in periods.
    """

    def __init__(self) -> None:
        self._open: dict[str, str] = {ALL_TIME: ALL_TIME}
        self._boards = {ALL_TIME: ReplayedBoard()}

    def __getitem__(self, kind: str) -> tuple[str, ReplayedBoard]:
        """Return the open period of a kind, or `all`, and the board in it."""
        period = self._open[kind]
        return period, self._boards[period]

    def get(self, period: str) -> ReplayedBoard | None:
        """Return the board in a period that is open."""
        return self._boards.get(period)

    def append(self, event: Event) -> None:
        """Apply the next event."""
        if event.period is not None:
            kind = kind_of(event.period)
            self._boards.pop(self._open.get(kind, ""), None)
            self._open[kind] = event.period
            self._boards[event.period] = ReplayedBoard()
        for board in self._boards.values():
            board.append(event)


def shown(history: History) -> Iterator[str]:
    """Check that each frame and final read is the board after exactly `version` events of its ledger."""
    frames: defaultdict[str, defaultdict[int, list[Frame]]] = defaultdict(lambda: defaultdict(list))
    for frame in (*history.frames, *history.finals):
        frames[frame.snapshot.board][frame.snapshot.version].append(frame)
    ledgers = history.ledgers()
    for board, by_version in frames.items():
        replayed = ReplayedPeriods()
        # Before the first event, no period has begun.
        yield from _compare(by_version.pop(0, []), replayed, history, kind=ALL_TIME)
        for event in ledgers.get(board, []):
            replayed.append(event)
            yield from _compare(by_version.pop(event.version, []), replayed, history)
        for unheard_of in by_version.values():
            yield from (f"{frame}, which the ledger does not have" for frame in unheard_of)


def _compare(
    frames: list[Frame], replayed: ReplayedPeriods, history: History, kind: str | None = None
) -> Iterator[str]:
    expected: dict[tuple[str, int], tuple[Entry, ...]] = {}
    for frame in frames:
        period = kind or frame.snapshot.period
        board = replayed.get(period)
        if board is None:
            yield f"{frame}, at which the period is not open"
            continue
        if (period, frame.limit) not in expected:
            expected[period, frame.limit] = board.entries(frame.limit, history)
        differences = _differences(frame, board, expected[period, frame.limit])
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
        watched = (history.watchers[frame.watcher], history.kind(frame.watcher))
        if (frame.snapshot.board, kind_of(frame.snapshot.period)) != watched:
            yield f"{frame}, and it watches {' '.join(watched)}"
        before = newest.get(frame.watcher)
        if before is not None and frame.snapshot.version < before.snapshot.version:
            yield f"{frame} goes back: it had seen version {before.snapshot.version} from {before.instance}"
        newest[frame.watcher] = frame


def ends(history: History) -> Iterator[str]:
    """Check that all watchers end on the final board, and that all instances show it."""
    last = {frame.watcher: frame for frame in history.frames}
    most = max((frame.limit for frame in (*history.finals, *last.values())), default=TOP)
    heads: dict[str, int] = {}
    finals: dict[tuple[str, str], tuple[str, tuple[Entry, ...]]] = {}
    ledgers = history.ledgers()
    for board, kind in history.views():
        replayed = ReplayedPeriods()
        for event in ledgers.get(board, []):
            replayed.append(event)
            heads[board] = event.version
        if kind == ALL_TIME or board in heads:
            period, final = replayed[kind]
            finals[board, kind] = period, final.entries(most, history)
    for watcher, board in history.watchers.items():
        frame, kind = last.get(watcher), history.kind(watcher)
        if frame is None:
            yield f"{watcher} was never shown board {board}"
        elif (board, kind) in finals:
            period, entries = finals[board, kind]
            if (frame.snapshot.period, frame.snapshot.entries) != (period, entries[: frame.limit]):
                yield f"{frame} is the last it was shown, and is not the final board at {heads.get(board, 0)}"
    yield from _final_reads(history, heads)


def _final_reads(history: History, heads: Mapping[str, int]) -> Iterator[str]:
    reads = {
        (read.instance, read.snapshot.board, kind_of(read.snapshot.period)): read.snapshot.version
        for read in history.finals
    }
    for instance in history.instances:
        for board, kind in history.views():
            version = reads.get((instance, board, kind))
            of = board if kind == ALL_TIME else f"{board} in its {kind}"
            if version is None:
                yield f"{instance} did not show board {of} at the end"
            elif version != heads.get(board, 0):
                yield f"{instance} ends at version {version} of {of}, and the ledger at {heads.get(board, 0)}"
