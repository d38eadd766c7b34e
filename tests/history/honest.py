"""A scoreboard in memory that handles one submission after another and records its own correct history."""

from enum import Enum, auto
from itertools import count
from uuid import UUID

from scoreboard.domain.events import Event, EventKind
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.standings import Entry, Snapshot
from tests.clocks import START_US
from tests.history.records import TOP, Acknowledged, Attempt, Frame, History, Outcome, Refused, Unknown
from tests.replay import replay

ACTIONS = {"quest": ("main", 50), "duel": ("main", 30), "visit": ("side", 5)}
"""The board and the points of each action."""

BOARDS = ("main", "side")
INSTANCES = ("one", "two")
FINAL_LIMIT = 100


class Fate(Enum):
    """The outcome of an attempt that no rule refuses."""

    ANSWERED = auto()
    ANSWER_LOST = auto()
    """Counted, and the answer is lost."""
    REQUEST_LOST = auto()
    """Not counted, and the answer is lost: to its client it looks the same."""
    NOT_WRITTEN = auto()
    """The store is unavailable, and the client gets an answer that nothing was changed."""


class Honest:
    """`submit`, `watch` and `wait` make a history. `finish` ends and returns it."""

    def __init__(self, watchers: dict[str, str], limit: RateLimit | None = None) -> None:
        self.now = 0.0
        self.ledgers: dict[str, list[Event]] = {board: [] for board in BOARDS}
        self.attempts: list[Attempt] = []
        self.frames: list[Frame] = []
        self._watchers = watchers
        self._limit = limit
        self._players: dict[str, int] = {}
        self._digests: dict[tuple[str, str], UUID] = {}
        self._ids = count(1)
        self._tries = count()

    def wait(self, seconds: float) -> None:
        """Advance the time."""
        self.now += seconds

    def submit(
        self,
        user_id: str,
        action_id: str,
        key: str | None = None,
        fate: Fate = Fate.ANSWERED,
        *,
        early: float = 0.001,
        late: float = 0.001,
    ) -> Attempt:
        """Make an attempt, begun `early` seconds ago and answered `late` seconds from now."""
        outcome = self._decide(user_id, action_id, key, fate)
        instance = INSTANCES[next(self._tries) % len(INSTANCES)]
        attempt = Attempt(user_id, action_id, key, instance, self.now - early, self.now + late, outcome)
        self.attempts.append(attempt)
        return attempt

    def _decide(self, user_id: str, action_id: str, key: str | None, fate: Fate) -> Outcome:
        if fate is Fate.REQUEST_LOST:
            return Unknown("the connection was lost")
        if fate is Fate.NOT_WRITTEN:
            return Refused(503, "store_unavailable")
        known = self._event_of(user_id, key)
        if known is not None and known.action_id != action_id:
            return Refused(422, "idempotency_key_reused")
        if known is None and self._is_over_limit(user_id):
            return Refused(429, "rate_limited")
        event = known or self.count(user_id, action_id, key)
        if fate is Fate.ANSWER_LOST:
            return Unknown("the connection was lost")
        ranks = {player: rank for rank, player, _ in self._replayed(event.board)}
        return Acknowledged(
            event_id=event.event_id,
            board=event.board,
            user_id=user_id,
            action_id=action_id,
            points=event.points,
            score=event.score,
            rank=ranks[event.player],
            version=event.version,
            replayed=known is not None,
        )

    def count(self, user_id: str, action_id: str, key: str | None = None) -> Event:
        """Append an event to the ledger."""
        board, points = ACTIONS[action_id]
        player = self._players.setdefault(user_id, len(self._players) + 1)
        own = [event for ledger in self.ledgers.values() for event in ledger if event.player == player]
        event = Event(
            event_id=UUID(int=next(self._ids)),
            board=board,
            version=len(self.ledgers[board]) + 1,
            player=player,
            kind=EventKind.AWARD,
            seq=len(own) + 1,
            action_id=action_id,
            action_seq=sum(event.action_id == action_id for event in own) + 1,
            points=points,
            score=sum(event.points for event in own if event.board == board) + points,
            at_us=self._now_us(),
            idempotency_digest=None if key is None else self._digest(user_id, key),
        )
        self.ledgers[board].append(event)
        return event

    def watch(self, watcher: str, instance: str = INSTANCES[0]) -> None:
        """Send a watcher its board."""
        self.frames.append(self._frame(watcher, instance, self._watchers[watcher], TOP))

    def finish(self) -> History:
        """Send all watchers the final boards."""
        for watcher in self._watchers:
            self.watch(watcher)
        return History(
            instances=INSTANCES,
            watchers=self._watchers,
            attempts=tuple(self.attempts),
            frames=tuple(self.frames),
            finals=tuple(
                self._frame("the end", name, board, FINAL_LIMIT) for name in INSTANCES for board in BOARDS
            ),
            ledger=tuple(event for ledger in self.ledgers.values() for event in ledger),
            users={player: user_id for user_id, player in self._players.items()},
        )

    def _now_us(self) -> int:
        return START_US + round(self.now * 1_000_000)

    def _digest(self, user_id: str, key: str) -> UUID:
        return self._digests.setdefault((user_id, key), UUID(int=10_000 + len(self._digests)))

    def _event_of(self, user_id: str, key: str | None) -> Event | None:
        digest = None if key is None else self._digests.get((user_id, key))
        events = (event for ledger in self.ledgers.values() for event in ledger)
        return next(
            (event for event in events if digest is not None and event.idempotency_digest == digest), None
        )

    def _is_over_limit(self, user_id: str) -> bool:
        player = self._players.get(user_id)
        times = [
            event.at_us for ledger in self.ledgers.values() for event in ledger if event.player == player
        ]
        limit = self._limit
        return (
            limit is not None
            and sum(at_us > self._now_us() - limit.window_us for at_us in times) >= limit.count
        )

    def _replayed(self, board: str) -> list[tuple[int, int, int]]:
        return replay(self.ledgers[board], len(self.ledgers[board]))

    def _frame(self, watcher: str, instance: str, board: str, limit: int) -> Frame:
        ledger = self.ledgers[board]
        users = {player: user_id for user_id, player in self._players.items()}
        reached = {event.player: event.at_us for event in ledger}
        everybody = self._replayed(board)
        entries = tuple(
            Entry(rank, users[player], None, score, reached[player])
            for rank, player, score in everybody[:limit]
        )
        at_us = ledger[-1].at_us if ledger else 0
        snapshot = Snapshot(board, len(ledger), at_us, len(everybody), entries)
        return Frame(watcher, instance, self.now, snapshot, limit)
