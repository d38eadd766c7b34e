"""A scoreboard in memory that handles one submission after another and records its own correct history."""

from collections.abc import Mapping
from enum import Enum, auto
from itertools import count
from uuid import UUID

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import SUM_DESCENDING, Definition
from scoreboard.domain.events import NO_PLAYER, Event, EventKind
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.standings import Entry, Snapshot
from tests.clocks import START_US
from tests.history.records import (
    TOP,
    Acknowledged,
    Attempt,
    Frame,
    History,
    Outcome,
    Refused,
    Unknown,
    views,
)
from tests.plain_board import PlainBoard, begins_us, day_at, first_day, kind_of

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

    def __init__(
        self,
        watchers: dict[str, str],
        limit: RateLimit | None = None,
        *,
        kinds: Mapping[str, str] | None = None,
        definitions: Mapping[str, Definition] | None = None,
    ) -> None:
        """`kinds` and `definitions` are as in `History`."""
        self.now = 0.0
        self.ledgers: dict[str, list[Event]] = {board: [] for board in BOARDS}
        self.attempts: list[Attempt] = []
        self.frames: list[Frame] = []
        self._watchers = watchers
        self._limit = limit
        self._kinds = kinds or {}
        self._definitions = definitions or {}
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
        period: str | None = None,
    ) -> Attempt:
        """Make an attempt, begun `early` seconds ago and answered `late` seconds from now."""
        outcome = self._decide(user_id, action_id, key, fate, period)
        instance = INSTANCES[next(self._tries) % len(INSTANCES)]
        attempt = Attempt(
            user_id, action_id, key, instance, self.now - early, self.now + late, outcome, period
        )
        self.attempts.append(attempt)
        return attempt

    def _decide(
        self, user_id: str, action_id: str, key: str | None, fate: Fate, period: str | None
    ) -> Outcome:
        if fate is Fate.REQUEST_LOST:
            return Unknown("the connection was lost")
        if fate is Fate.NOT_WRITTEN:
            return Refused(503, "store_unavailable")
        known = self._event_of(user_id, key)
        if known is not None and known.action_id != action_id:
            return Refused(422, "idempotency_key_reused")
        if known is None and self._is_over_limit(user_id):
            return Refused(429, "rate_limited")
        board = ACTIONS[action_id][0]
        self.roll_over(board)
        if period is not None and period not in self._model(board).opened().values():
            return Refused(409, "period_over")
        event = known or self.count(user_id, action_id, key)
        if fate is Fate.ANSWER_LOST:
            return Unknown("the connection was lost")
        model = self._model(board)
        ranks = {row.user_id: row.rank for row in model.rows(ALL_TIME, model.version)}
        return Acknowledged(
            event_id=event.event_id,
            board=event.board,
            user_id=user_id,
            action_id=action_id,
            points=event.points,
            score=event.score,
            rank=ranks[user_id],
            version=event.version,
            replayed=known is not None,
            periods={
                period: sum(
                    each.points for each in self._own(event) if period in model.periods_of[each.version]
                )
                for period in model.opened(event.version).values()
            },
        )

    def _own(self, last: Event) -> list[Event]:
        """Return a player's events on a board up to one of them."""
        return [event for event in self.ledgers[last.board][: last.version] if event.player == last.player]

    def roll_over(self, board: str) -> None:
        """Begin the periods that are due."""
        model = self._model(board)
        for kind in model.definition.periods:
            due = model.due(self._now_us(), kind)
            if due > model.opened().get(kind, ""):
                self.begin(board, due)

    def begin(self, board: str, period: str) -> None:
        """Begin a period."""
        zone = self._definitions[board].timezone
        first = begins_us(first_day(kind_of(period), day_at(self._now_us(), zone)), zone)
        self.ledgers[board].append(
            Event(
                event_id=UUID(int=next(self._ids)),
                board=board,
                version=len(self.ledgers[board]) + 1,
                player=NO_PLAYER,
                kind=EventKind.ROLLOVER,
                seq=None,
                action_id=None,
                action_seq=None,
                points=0,
                score=0,
                at_us=self._now_us(),
                period=period,
                boundary_us=first,
            )
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
        view = self._watchers[watcher], self._kinds.get(watcher, ALL_TIME)
        self.frames.append(self._frame(watcher, instance, *view, TOP))

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
                self._frame("the end", name, *view, FINAL_LIMIT)
                for name in INSTANCES
                for view in views(BOARDS, self._definitions)
            ),
            ledger=tuple(event for ledger in self.ledgers.values() for event in ledger),
            users=self._users(),
            kinds=self._kinds,
            definitions=self._definitions,
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

    def _users(self) -> dict[int, str]:
        return {player: user_id for user_id, player in self._players.items()}

    def _model(self, board: str) -> PlainBoard:
        definition = self._definitions.get(board, SUM_DESCENDING)
        return PlainBoard(definition, tuple(self.ledgers[board]), self._users())

    def _frame(self, watcher: str, instance: str, board: str, kind: str, limit: int) -> Frame:
        model = self._model(board)
        period = ALL_TIME if kind == ALL_TIME else model.opened().get(kind) or model.due(self._now_us(), kind)
        rows = model.rows(period, model.version)
        entries = tuple(Entry(row.rank, row.user_id, None, row.values[0], row.reached_at_us) for row in rows)
        at_us = model.events[-1].at_us if model.events else 0
        snapshot = Snapshot(board, model.version, at_us, len(rows), entries[:limit], period)
        return Frame(watcher, instance, self.now, snapshot, limit)
