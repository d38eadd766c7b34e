"""Any order of submissions, repeats, corrections, restarts, lost applies and writes by others gives one exact
history.

A simple model computes what must be. It knows neither batches nor copies: it handles one submission after the
other.
"""

import asyncio
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scoreboard.domain.administration import Correction
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import (
    EventNotVoidable,
    IdempotencyKeyReused,
    NameKept,
    PlayerBanned,
    RankingUnavailable,
    RateLimited,
    ScoreboardError,
    UnknownEvent,
    UnknownPlayer,
)
from scoreboard.domain.events import Event, EventKind
from scoreboard.domain.queries import Page
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.scopes import WRITE_SCORES
from scoreboard.domain.standings import Change
from scoreboard.domain.submissions import Caller, SubmissionRequest
from scoreboard.ports.ranking import ApplyResult
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.resilience.background_loop import running
from scoreboard.services.administer import Administration, CorrectionResult
from scoreboard.services.apply import Applier
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.read_boards import BoardReader
from scoreboard.services.submit import Submitter
from scoreboard.services.verify import verify
from scoreboard.services.write_queue import Receipt
from scoreboard.settings.catalog import Catalog
from tests.clocks import HeldClock, counted_ids
from tests.history.boards import ReplayedBoard
from tests.history.records import History as Recorded
from tests.making import DEFINITIONS, DUEL, MAIN, QUEST, SIDE, VISIT, commit, rules, submission
from tests.replay import reached_versions, replay
from tests.stores import migrated_file, open_sqlite

LIMIT = RateLimit(3, 60_000_000)
RULES = rules(LIMIT)
SECOND_US = 1_000_000
CATALOG = Catalog({b.id: b for b in (MAIN, SIDE)}, {a.id: a for a in (QUEST, DUEL, VISIT)})

T = TypeVar("T")


class LossyRanking(MemoryRanking):
    """Loses an apply on request: before it is done, or only its result."""

    def __init__(self) -> None:
        super().__init__(DEFINITIONS)
        self.lose: str | None = None

    async def apply(self, change: Change, copy_id: str | None = None) -> ApplyResult:
        lose, self.lose = self.lose, None
        if lose == "before":
            raise RankingUnavailable
        applied = await super().apply(change, copy_id)
        if lose == "after":
            raise RankingUnavailable
        return applied


@dataclass(frozen=True)
class Try:
    user_id: str
    action_id: str
    key: str | None
    name: str | None = None


@dataclass
class Line:
    """An event of the model's ledger: an award if it has an action."""

    user: str
    event_id: str
    action_id: str | None
    points: int
    at_us: int
    is_void: bool = False
    can_be_void: bool = True


@dataclass
class Model:
    """Predicts the outcome of each submission and correction. An erased player continues as another user."""

    accepted: dict[str, list[int]] = field(default_factory=dict)
    readings: dict[str, int] = field(default_factory=lambda: {"main": 0, "side": 0})
    keys: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    boards: dict[str, list[Line | None]] = field(default_factory=lambda: {"main": [], "side": []})
    banned: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    names: dict[str, str | None] = field(default_factory=dict)
    erased: int = 0

    def now(self, board: str, clock_us: int) -> int:
        """Return a board's time: the clock, which does not decrease while it is at most a second behind."""
        newest_us = self.readings[board]
        return newest_us if newest_us - SECOND_US <= clock_us < newest_us else clock_us

    def expect(self, attempt: Try, clock_us: int) -> type[ScoreboardError] | str:
        """Return the code of the expected error, or the id of the event that it repeats, or "" for a new
        event.
        """
        if attempt.key is not None and (known := self.keys.get((attempt.user_id, attempt.key))):
            action_id, event_id = known
            return event_id if action_id == attempt.action_id else IdempotencyKeyReused
        if attempt.user_id in self.banned:
            return PlayerBanned
        times = self.accepted.get(attempt.user_id, [])
        now_us = self.now(CATALOG.action(attempt.action_id).board, clock_us)
        # Submissions from while the clock ran ahead do not count in a window.
        if len(times) >= LIMIT.count and now_us - LIMIT.window_us < times[-LIMIT.count] <= now_us + SECOND_US:
            return RateLimited
        return ""

    def count(self, attempt: Try, event_id: str, clock_us: int) -> None:
        if attempt.name is not None and attempt.user_id not in self.kept:
            self.names[attempt.user_id] = attempt.name
        board = CATALOG.action(attempt.action_id).board
        self.readings[board] = self.now(board, clock_us)
        self.accepted.setdefault(attempt.user_id, []).append(self.readings[board])
        if attempt.key is not None:
            self.keys[attempt.user_id, attempt.key] = (attempt.action_id, event_id)

    def lines_of(self, user: str) -> list[tuple[str, int, Line]]:
        """Return board, version and line of each event of a user."""
        return [
            (board, version, line)
            for board, lines in self.boards.items()
            for version, line in enumerate(lines, start=1)
            if line is not None and line.user == user
        ]

    def boards_of(self, user: str) -> list[str]:
        return sorted({board for board, _, _ in self.lines_of(user)})

    def add(self, board: str, user: str, clock_us: int, points: int = 0) -> None:
        self.readings[board] = self.now(board, clock_us)
        self.boards[board].append(Line(user, "", None, points, self.readings[board], can_be_void=points != 0))

    def shown(self, board: str) -> list[tuple[int, str, int]]:
        """Return rank, user and score in the order of ranks, as if void events had never been written."""
        scores: dict[str, int] = {}
        reached: dict[str, int] = {}
        first: dict[str, int] = {}
        for version, line in enumerate(self.boards[board], start=1):
            assert line is not None
            first.setdefault(line.user, version)
            scores.setdefault(line.user, 0)
            if line.is_void or not line.can_be_void:
                continue
            scores[line.user] += line.points
            if line.points:
                reached[line.user] = version
        reached = first | reached
        users = sorted(
            (user for user in scores if user not in self.banned | self.hidden),
            key=lambda user: (-scores[user], reached[user]),
        )
        return [(rank, user, scores[user]) for rank, user in enumerate(users, start=1)]

    def erase(self, user: str) -> None:
        self.erased += 1
        nobody = f"nobody {self.erased}"
        for _, _, line in self.lines_of(user):
            line.user = nobody
        self.accepted.pop(user, None)
        self.keys = {key: event for key, event in self.keys.items() if key[0] != user}
        self.banned -= {user}
        self.hidden -= {user}
        self.kept -= {user}
        self.names.pop(user, None)
        self.banned.add(nobody)


users = st.sampled_from(["ada", "bob", "cyd", "dan"])
names = st.sampled_from([None, "Some", "Other"])
tries = st.builds(
    Try,
    user_id=users,
    action_id=st.sampled_from(["quest", "duel", "visit"]),
    key=st.one_of(st.none(), st.sampled_from(["k1", "k2"])),
    name=names,
)


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="scoreboard-history-")
        self.path = migrated_file(Path(self.folder.name) / "scoreboard.db")
        self.clock = HeldClock()
        self.set_seconds = 0.0
        self.ids = counted_ids()
        self.model = Model()
        self.known_as: dict[int, set[str]] = {}

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    @initialize()
    def start(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        self.stack = AsyncExitStack()
        self.store = await self.stack.enter_async_context(open_sqlite(self.path, self.clock, limit=LIMIT))
        self.ranking = LossyRanking()
        minimum, clock_guard = MinimumVersions(), ClockGuard(self.clock)
        self.applier = Applier(self.store, self.ranking, minimum)
        commit = GroupCommit(
            self.store, self.applier, RULES, self.clock, minimum=minimum, clock_guard=clock_guard
        )
        self.reader = BoardReader(CATALOG, self.store, self.ranking, minimum, self.clock)
        self.submitter = Submitter(CATALOG, commit, self.reader, new_id=self.ids.__next__)
        self.administration = Administration(
            CATALOG, self.store, self.applier, clock=self.clock, new_id=self.ids.__next__
        )
        await self.stack.enter_async_context(running(*commit.loops))

    async def _submit(self, attempt: Try) -> Receipt:
        return await self.submitter.submit(
            Caller(attempt.user_id, attempt.name, frozenset({WRITE_SCORES})),
            SubmissionRequest(attempt.action_id, attempt.user_id),
            attempt.key,
        )

    @rule(attempts=st.lists(tries, min_size=1, max_size=8))
    def submit_at_once(self, attempts: list[Try]) -> None:
        """Submissions of one user are decided in the order of their arrival. Users are independent."""

        async def all_of_them() -> Sequence[Receipt | BaseException]:
            return await asyncio.gather(*map(self._submit, attempts), return_exceptions=True)

        for attempt, answer in zip(attempts, self.run(all_of_them()), strict=True):
            expected = self.model.expect(attempt, self.clock.us)
            if isinstance(expected, type):
                assert isinstance(answer, expected), (attempt, answer)
                continue
            assert isinstance(answer, Receipt), (attempt, answer)
            event_id = str(answer.event.event_id)
            assert answer.replayed == bool(expected)
            if expected:
                assert event_id == expected
            else:
                self.model.count(attempt, event_id, self.clock.us)
                self._note(attempt.user_id, answer)

    def _note(self, user_id: str, answer: Receipt) -> None:
        event = answer.event
        board = self.model.boards[event.board]
        board.extend([None] * (event.version - len(board)))
        assert board[event.version - 1] is None
        board[event.version - 1] = Line(
            user_id, str(event.event_id), event.action_id, event.points, event.reading_us
        )
        assert event.reading_us == self.model.readings[event.board]

    @rule(attempt=tries)
    def another_process_submits(self, attempt: Try) -> None:
        async def elsewhere() -> None:
            async with open_sqlite(self.path, self.clock, limit=LIMIT) as other:
                one = submission(attempt.user_id, CATALOG.action(attempt.action_id))
                events = await commit(other, one, limit=LIMIT)
                for event in events:
                    self.model.count(
                        Try(attempt.user_id, attempt.action_id, None), str(event.event_id), self.clock.us
                    )
                    self._note(attempt.user_id, Receipt(event, None, replayed=False))
                plain = Try(attempt.user_id, attempt.action_id, None)
                assert events or self.model.expect(plain, self.clock.us) in {
                    RateLimited,
                    PlayerBanned,
                }

        self.run(elsewhere())

    @rule(seconds=st.sampled_from([0.5, 20, 59.999999, 60]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-0.6, -1, -25, 25]))
    def the_clock_is_set(self, seconds: float) -> None:
        # More than a minute without an event is a jump of the clock for a process.
        if abs(self.set_seconds + seconds) <= 30:
            self.set_seconds += seconds
            self.clock.set_ahead(seconds)

    @rule(seconds=st.sampled_from([86_400, -86_400, 3e7, -3e7]))
    def the_clock_jumps_between_two_starts(self, seconds: float) -> None:
        self.clock.set_ahead(seconds)
        self.set_seconds = 0.0
        self.restart()

    def _correct(self, kind: EventKind, **given: Any) -> CorrectionResult | ScoreboardError:
        try:
            return self.run(self.administration.correct(Correction(kind, "root", "a test", **given)))
        except ScoreboardError as error:
            return error

    @rule(user=users, kind=st.sampled_from([EventKind.BAN, EventKind.UNBAN]))
    def ban_or_unban(self, user: str, kind: EventKind) -> None:
        answer = self._correct(kind, user_id=user)
        is_so = (user in self.model.banned) == (kind is EventKind.BAN)
        if self._expect_on_all_boards(answer, user, is_so=is_so):
            self.model.banned = self.model.banned ^ {user}

    @rule(user=users, kind=st.sampled_from([EventKind.HIDE, EventKind.SHOW]))
    def hide_or_show(self, user: str, kind: EventKind) -> None:
        answer = self._correct(kind, user_id=user)
        if kind is EventKind.HIDE and not self.model.boards_of(user):
            # Hidden before the first score, by an event on the first board.
            assert isinstance(answer, CorrectionResult)
            assert answer.events == 1
            self.model.add("main", user, self.clock.us)
            self.model.hidden = self.model.hidden | {user}
            return
        is_so = (user in self.model.hidden) == (kind is EventKind.HIDE)
        if self._expect_on_all_boards(answer, user, is_so=is_so):
            self.model.hidden = self.model.hidden ^ {user}

    @rule(user=users, name=names, keeps=st.booleans())
    def rename(self, user: str, name: str | None, keeps: bool) -> None:
        answer = self._correct(EventKind.RENAME, user_id=user, name=name, keeps_name=keeps)
        if user in self.model.kept and not keeps:
            assert isinstance(answer, NameKept)
            return
        is_so = (self.model.names.get(user), user in self.model.kept) == (name, keeps)
        if self._expect_on_all_boards(answer, user, is_so=is_so):
            self.model.names[user] = name
            self.model.kept = self.model.kept | {user} if keeps else self.model.kept

    @rule(user=users)
    def release_the_name(self, user: str) -> None:
        answer = self._correct(EventKind.RELEASE_NAME, user_id=user)
        if self._expect_on_all_boards(answer, user, is_so=user not in self.model.kept):
            self.model.kept = self.model.kept - {user}

    def _expect_on_all_boards(self, answer: object, user: str, *, is_so: bool) -> bool:
        """Expect an event on each board of the user if the correction changed anything. Return True if it
        did.
        """
        boards = self.model.boards_of(user)
        if not boards:
            assert isinstance(answer, UnknownPlayer)
            return False
        assert isinstance(answer, CorrectionResult)
        assert answer.events == (0 if is_so else len(boards))
        for board in () if is_so else boards:
            self.model.add(board, user, self.clock.us)
        return not is_so

    @rule(
        board=st.sampled_from(["main", "side"]),
        version=st.integers(1, 12),
        kind=st.sampled_from([EventKind.VOID, EventKind.UNVOID]),
    )
    def void_or_unvoid(self, board: str, version: int, kind: EventKind) -> None:
        answer = self._correct(kind, board=board, target_version=version)
        lines = self.model.boards[board]
        line = lines[version - 1] if version <= len(lines) else None
        if line is None:
            assert isinstance(answer, UnknownEvent)
        elif not line.can_be_void:
            assert isinstance(answer, EventNotVoidable)
        else:
            self._check_voided(answer, board, [line] if line.is_void == (kind is EventKind.UNVOID) else [])

    @rule(user=users, seconds=st.sampled_from([0, 20, 60, 1_000]))
    def void_all_since(self, user: str, seconds: int) -> None:
        since_us = self.clock.us - seconds * 1_000_000
        answer = self._correct(EventKind.VOID, user_id=user, since_us=since_us)
        own = self.model.lines_of(user)
        if not own:
            assert isinstance(answer, UnknownPlayer)
            return
        for board in ("main", "side"):
            meant = [
                line
                for of, _, line in own
                if of == board and line.action_id is not None and not line.is_void and line.at_us >= since_us
            ]
            self._check_voided(answer, board, meant)

    def _check_voided(self, answer: object, board: str, lines: Sequence[Line]) -> None:
        assert isinstance(answer, CorrectionResult), answer
        for line in lines:
            line.is_void = not line.is_void
            self.model.add(board, line.user, self.clock.us, -line.points if line.is_void else line.points)
            self.model.boards[board][-1].can_be_void = False  # type: ignore[union-attr]  # just added
        assert answer.versions.get(board, len(self.model.boards[board])) == len(self.model.boards[board])
        assert bool(lines) == (board in answer.versions)

    @rule(user=users, board=st.sampled_from(["main", "side"]), points=st.sampled_from([-70, -1, 50]))
    def adjust(self, user: str, board: str, points: int) -> None:
        answer = self._correct(EventKind.ADJUST, user_id=user, board=board, points=points)
        boards = self.model.boards_of(user)
        if not boards:
            assert isinstance(answer, UnknownPlayer)
            return
        self.model.add(board, user, self.clock.us, points)
        if user in self.model.banned and board not in boards:
            self.model.add(board, user, self.clock.us)

    @rule(user=users)
    def erase(self, user: str) -> None:
        answer = self._correct(EventKind.ERASE, user_id=user)
        boards = self.model.boards_of(user)
        if not boards:
            assert isinstance(answer, UnknownPlayer)
            return
        for board in boards:
            self.model.add(board, user, self.clock.us)
        self.model.erase(user)

    @rule(when=st.sampled_from(["before", "after"]))
    def an_apply_is_lost(self, when: str) -> None:
        self.ranking.lose = when

    @rule(board=st.sampled_from(["main", "side"]))
    def the_copy_is_flushed(self, board: str) -> None:
        self.run(self.ranking.drop(board))

    @rule()
    def heal(self) -> None:
        self.ranking.lose = None
        for board in ("main", "side"):
            self.run(self.applier.heal(board))

    @rule()
    def restart(self) -> None:
        self.run(self.stack.aclose())
        self.run(self._open())

    @invariant()
    def the_ledger_is_what_was_answered_and_every_reading_is_its_replay(self) -> None:
        for board, lines in self.model.boards.items():
            self.run(self._check(board, lines))

    async def _check(self, board: str, lines: Sequence[Line | None]) -> None:
        ledger = await self.store.events(board, 0, 10_000)
        self._check_ledger(ledger, lines)
        assert (await self.store.heads())[board].version == len(lines)
        change = await self.store.changes(board, 0, 10_000)
        users = {standing.player: standing.user_id for standing in change.standings}
        for player, user_id in users.items():
            self.known_as.setdefault(player, set()).add(user_id)
        from_store = await self.store.read(board, ALL_TIME, Page(100))
        assert from_store.version == len(ledger)
        assert [(e.rank, e.user_id, e.score) for e in from_store.entries] == self.model.shown(board)
        named = {e.user_id: e.name for e in from_store.entries}
        assert named == {user: self.model.names.get(user) for user in named}
        for snapshot in (from_store, await self.reader.page(board, 100)):
            expected = replay(ledger, snapshot.version)
            assert [(e.rank, e.score) for e in snapshot.entries] == [
                (rank, score) for rank, _, score in expected
            ]
            reached = reached_versions(ledger, snapshot.version)
            for entry, (_, player, _) in zip(snapshot.entries, expected, strict=True):
                assert entry.reached_at_us == ledger[reached[player] - 1].reading_us
                # A page from before an erasure may still have the user id.
                is_newest = snapshot.version == len(ledger)
                assert entry.user_id in ({users[player]} if is_newest else self.known_as[player])

    def _check_ledger(self, ledger: Sequence[Event], lines: Sequence[Line | None]) -> None:
        awards = [(e.version, str(e.event_id), e.action_id) for e in ledger if e.action_id is not None]
        assert awards == [
            (version, line.event_id, line.action_id)
            for version, line in enumerate(lines, start=1)
            if line is not None and line.action_id is not None
        ]
        assert [e.points for e in ledger] == [line.points for line in lines if line is not None]

    def _check_the_checker(self, board: str) -> None:
        """Check two independent folds of a ledger, at once and event by event, against each other at each
        version.
        """
        ledger = self.run(self.store.events(board, 0, 10_000))
        history = Recorded((), {}, (), (), ())
        replayed = ReplayedBoard()
        for event in ledger:
            replayed.append(event)
            reached = reached_versions(ledger, event.version)
            assert [
                (e.rank, e.user_id, e.score, e.reached_at_us) for e in replayed.entries(100, history)
            ] == [
                (rank, history.user(player), score, ledger[reached[player] - 1].reading_us)
                for rank, player, score in replay(ledger, event.version)
            ]

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            for board in ("main", "side"):
                self._check_the_checker(board)
                self.ranking.lose = None
                self.run(self.applier.heal(board))
                verdict = self.run(verify(self.store, self.ranking, board, lambda *_: None))
                assert verdict.differences == ()
                head = self.run(self.store.heads())[board].version
                assert self.run(self.reader.page(board, 10)).version == head
            self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()


History.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
TestHistory = History.TestCase
