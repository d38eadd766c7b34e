"""Any order of submissions, repeats, refusals, restarts, lost applies and foreign writes: one history, exactly.

A plain model says what must be. It knows neither batches nor copies: it takes one submission after the other.
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

from scoreboard.catalog import Catalog
from scoreboard.commit import Receipt
from scoreboard.errors import IdempotencyKeyReused, RankingUnavailable, RateLimited, ScoreboardError
from scoreboard.healing import Healing
from scoreboard.interfaces import Applied
from scoreboard.model import Caller, Change, RateLimit
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.rules import SCORE_FOR_ONESELF, settle
from scoreboard.scoring import Scoring
from scoreboard.store import sqlite_file
from scoreboard.store.sqlite import SqliteStore
from tests.clocks import HeldClock, counted_ids
from tests.making import DUEL, MAIN, QUEST, SIDE, VISIT, submission
from tests.replay import replay

LIMIT = RateLimit(3, 60_000_000)
CATALOG = Catalog({b.id: b for b in (MAIN, SIDE)}, {a.id: a for a in (QUEST, DUEL, VISIT)})

T = TypeVar("T")


class LossyRanking(MemoryRanking):
    """Loses an apply when it is told to: before it is done, or only the news of it."""

    def __init__(self) -> None:
        super().__init__()
        self.lose: str | None = None

    async def apply(self, change: Change, copy: str | None = None) -> Applied:
        lose, self.lose = self.lose, None
        if lose == "before":
            raise RankingUnavailable
        applied = await super().apply(change, copy)
        if lose == "after":
            raise RankingUnavailable
        return applied


@dataclass(frozen=True)
class Try:
    user_id: str
    action_id: str
    key: str | None


@dataclass
class Model:
    """What must come of each submission."""

    accepted: dict[str, list[int]] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    boards: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: {"main": [], "side": []})

    def expect(self, attempt: Try, now_us: int) -> type[ScoreboardError] | str:
        """The error that it must get, or the id of the event that it repeats, or "" for a new event."""
        if attempt.key is not None and (known := self.keys.get((attempt.user_id, attempt.key))):
            action_id, event_id = known
            return event_id if action_id == attempt.action_id else IdempotencyKeyReused
        times = self.accepted.get(attempt.user_id, [])
        if len(times) >= LIMIT.count and times[-LIMIT.count] + LIMIT.window_us > now_us:
            return RateLimited
        return ""

    def count(self, attempt: Try, event_id: str, now_us: int) -> None:
        self.accepted.setdefault(attempt.user_id, []).append(now_us)
        if attempt.key is not None:
            self.keys[attempt.user_id, attempt.key] = (attempt.action_id, event_id)


tries = st.builds(
    Try,
    user_id=st.sampled_from(["ada", "bob", "cyd", "dan"]),
    action_id=st.sampled_from(["quest", "duel", "visit"]),
    key=st.one_of(st.none(), st.sampled_from(["k1", "k2"])),
)


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="scoreboard-history-")
        self.path = Path(self.folder.name) / "scoreboard.db"
        sqlite_file.migrate(self.path)
        self.clock = HeldClock()
        self.ids = counted_ids()
        self.model = Model()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    @initialize()
    def start(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        self.stack = AsyncExitStack()
        self.store = await self.stack.enter_async_context(SqliteStore(self.path, limit=LIMIT, clock=self.clock))
        await self.store.ensure([MAIN, SIDE])
        self.ranking = LossyRanking()
        self.healing = Healing(self.store, self.ranking, ("main", "side"))
        self.scoring = Scoring(
            CATALOG,
            self.store,
            self.ranking,
            self.healing,
            limit=LIMIT,
            clock=self.clock,
            new_id=self.ids.__next__,
        )
        writing = asyncio.create_task(self.scoring.commit.run())

        async def stop() -> None:
            writing.cancel()
            await asyncio.wait([writing])

        self.stack.push_async_callback(stop)

    async def _submit(self, attempt: Try) -> Receipt:
        return await self.scoring.submit(
            Caller(attempt.user_id, scopes=frozenset({SCORE_FOR_ONESELF})),
            attempt.action_id,
            attempt.user_id,
            attempt.key,
        )

    @rule(attempts=st.lists(tries, min_size=1, max_size=8))
    def submit_at_once(self, attempts: list[Try]) -> None:
        """Those of one user are decided in the order they came in; users are independent."""

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
                self._note(answer)

    def _note(self, answer: Receipt) -> None:
        board = self.model.boards[answer.event.board]
        board.extend([("", "")] * (answer.event.version - len(board)))
        assert board[answer.event.version - 1] == ("", "")
        board[answer.event.version - 1] = (str(answer.event.event_id), answer.event.action_id)

    @rule(attempt=tries)
    def another_process_submits(self, attempt: Try) -> None:
        async def elsewhere() -> None:
            async with SqliteStore(self.path, limit=LIMIT, clock=self.clock) as other:
                await other.ensure([MAIN, SIDE])
                one = submission(attempt.user_id, CATALOG.action(attempt.action_id))
                settled = await other.commit(
                    {one.board}, lambda: [one], lambda batch, facts: settle(batch, facts, LIMIT)
                )
                for event in settled.events:
                    self.model.count(Try(attempt.user_id, attempt.action_id, None), str(event.event_id), self.clock.us)
                    self._note(Receipt(event, None, replayed=False))
                plain = Try(attempt.user_id, attempt.action_id, None)
                assert bool(settled.events) or self.model.expect(plain, self.clock.us) is RateLimited

        self.run(elsewhere())

    @rule(seconds=st.sampled_from([0.5, 20, 59.999999, 60, -30]))
    def time_passes(self, seconds: float) -> None:
        # The store's clock stands still while the machine's has gone back: the model's does likewise.
        newest = max((time for times in self.model.accepted.values() for time in times), default=0)
        self.clock.us = max(self.clock.us + round(seconds * 1_000_000), newest)

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
            self.run(self.healing.heal(board))

    @rule()
    def restart(self) -> None:
        self.run(self.stack.aclose())
        self.run(self._open())

    @invariant()
    def the_ledger_is_what_was_answered(self) -> None:
        for board, expected in self.model.boards.items():
            ledger = self.run(self.store.events(board, 0, 10_000))
            assert [(str(e.event_id), e.action_id) for e in ledger] == expected
            assert self.run(self.store.heads())[board].version == len(expected)

    @invariant()
    def every_reading_is_the_replay_of_the_ledger_to_its_version(self) -> None:
        for board in self.model.boards:
            ledger = self.run(self.store.events(board, 0, 10_000))
            change = self.run(self.store.changes(board, 0, 10_000))
            users = {standing.player: standing.user_id for standing in change.standings}
            from_store = self.run(self.store.page(board, 100, 0))
            assert from_store.version == len(ledger)
            for snapshot in (from_store, self.run(self.scoring.board(board, 100))):
                shown = [(e.rank, e.user_id, e.score) for e in snapshot.entries]
                assert shown == [(r, users[p], score) for r, p, score in replay(ledger, snapshot.version)]

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            for board in ("main", "side"):
                self.ranking.lose = None
                self.run(self.healing.heal(board))
                head = self.run(self.store.heads())[board].version
                assert self.run(self.scoring.board(board, 10)).version == head
            self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()


History.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
TestHistory = History.TestCase
