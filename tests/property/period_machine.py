"""The state machine of the property test of periods: its steps, what they lead to, and the comparisons."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, suppress
from typing import Any, Final, TypeVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scoreboard.domain.administration import Correction
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import (
    NotAdjustable,
    PeriodOver,
    PlayerBanned,
    RankingUnavailable,
    ScoreboardError,
    UnknownPlayer,
)
from scoreboard.domain.events import EventKind
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.domain.submissions import Caller, SubmissionRequest
from scoreboard.services.verify import verify
from scoreboard.services.write_queue import Receipt
from scoreboard.settings.catalog import Catalog
from tests.clocks import HeldClock, counted_ids
from tests.limits import LIMIT_SECONDS
from tests.plain_board import DAY, SECOND_US, PlainBoard, begins_us, day_at, first_day, period_of
from tests.property.drawing import (
    BOARDS,
    USERS,
    Try,
    action,
    board,
    boards,
    definitions,
    starts,
    tries,
    users,
)
from tests.property.processes import Drivers, Process, process
from tests.property.readings import check_public, check_reads, check_store

STEPS_PER_CHECK: Final = 4

TOLERANCE_US: Final = 50_000
"""How long after a boundary a period may still be open without a submission."""

DAY_US: Final = 86_400 * SECOND_US

T = TypeVar("T")


class Periods(RuleBasedStateMachine):
    """Two boards with drawn definitions, on one or two processes."""

    def __init__(self, new_drivers: Callable[[], AbstractContextManager[Drivers]], processes: int) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = ExitStack()
        self.stack.callback(self.runner.close)
        self.drivers = self.stack.enter_context(new_drivers())
        self.clock = HeldClock()
        self.ids = counted_ids()
        self.count = processes
        self.banned: set[str] = set()
        self.set_seconds = 0.0
        self.steps = 0

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    @initialize(main=definitions(), side=definitions(), start_us=starts())
    def start(self, main: Definition, side: Definition, start_us: int) -> None:
        self.clock.us = start_us
        self.boards = {"main": board("main", main), "side": board("side", side)}
        self.catalog = Catalog(self.boards, {own.id: action(own) for own in self.boards.values()})
        self.run(self._open())

    async def _open(self) -> None:
        self.opened = AsyncExitStack()
        self.processes = [
            await self.opened.enter_async_context(process(self.drivers, self.catalog, self.clock, self.ids))
            for _ in range(self.count)
        ]

    def _one(self, number: int) -> Process:
        return self.processes[number % self.count]

    async def _model(self, board_id: str) -> PlainBoard:
        records = await self.processes[0].store.ledger(board_id, 0, 10_000)
        users = {record.event.player: record.user_id or "" for record in records}
        return PlainBoard(self.boards[board_id].definition, [record.event for record in records], users)

    def _due(self, board_id: str, kind: str, days: int = 0, late_us: int = 0) -> str:
        """Return the period of a kind at a board's time, so many days from now."""
        day = day_at(self.clock.us - late_us, self.boards[board_id].definition.timezone)
        return period_of(kind, day + days * DAY)

    @rule(number=st.integers(0, 1), batch=st.lists(tries, min_size=1, max_size=4))
    def submit_at_once(self, number: int, batch: Sequence[Try]) -> None:
        self.run(self._submit(self._one(number), batch))

    async def _submit(self, one: Process, batch: Sequence[Try]) -> None:
        opened = {board_id: (await self._model(board_id)).opened() for board_id in BOARDS}
        answers = await asyncio.gather(
            *(self._send(one, attempt) for attempt in batch), return_exceptions=True
        )
        for attempt, answer in zip(batch, answers, strict=True):
            kinds = self.boards[attempt.board].definition.periods
            # A period does not begin again if the clock goes back.
            accepted = {
                max(self._due(attempt.board, kind), opened[attempt.board].get(kind, "")) for kind in kinds
            }
            if attempt.user in self.banned:
                assert isinstance(answer, PlayerBanned | PeriodOver), answer
            elif attempt.period is not None and self._due(attempt.board, *attempt.period) not in accepted:
                assert isinstance(answer, PeriodOver), answer
            else:
                assert isinstance(answer, Receipt), answer
                assert set(answer.periods or ()) == accepted

    async def _send(self, one: Process, attempt: Try) -> Receipt:
        own = self.boards[attempt.board]
        is_count = own.definition.aggregation == "count"
        # On a board of sums, an event without points does not move a player whose other events are void. The
        # plain model has the player reach 0 with that event.
        points = attempt.points or (3 if own.definition.is_additive else 0)
        request = SubmissionRequest(
            attempt.board,
            attempt.user,
            points=None if is_count else points,
            columns=dict(zip(own.column_ids, attempt.columns, strict=False)),
            period=None if attempt.period is None else self._due(attempt.board, *attempt.period),
        )
        return await one.submitter.submit(Caller("game", scopes=frozenset({WRITE_ANY_SCORES})), request)

    def _correct(self, number: int, kind: EventKind, **given: Any) -> ScoreboardError | None:
        correction = Correction(kind, "root", "a test", **given)
        try:
            self.run(self._one(number).administration.correct(correction))
        except ScoreboardError as error:
            return error
        return None

    @rule(
        number=st.integers(0, 1),
        user=users,
        kind=st.sampled_from(
            [EventKind.BAN, EventKind.UNBAN, EventKind.HIDE, EventKind.SHOW, EventKind.ERASE]
        ),
    )
    def correct_a_player(self, number: int, user: str, kind: EventKind) -> None:
        error = self._correct(number, kind, user_id=user)
        assert error is None or isinstance(error, UnknownPlayer)
        if error is None and kind in {EventKind.BAN, EventKind.UNBAN, EventKind.ERASE}:
            self.banned = self.banned | {user} if kind is EventKind.BAN else self.banned - {user}

    @rule(number=st.integers(0, 1), user=users, board_id=boards, points=st.sampled_from([-2, 1, 3]))
    def adjust(self, number: int, user: str, board_id: str, points: int) -> None:
        error = self._correct(number, EventKind.ADJUST, user_id=user, board=board_id, points=points)
        is_adjustable = self.boards[board_id].definition.is_adjustable
        assert isinstance(error, UnknownPlayer | (type(None) if is_adjustable else NotAdjustable))

    @rule(
        number=st.integers(0, 1),
        board_id=boards,
        newest=st.integers(0, 5),
        kind=st.sampled_from([EventKind.VOID, EventKind.VOID, EventKind.UNVOID]),
    )
    def void_or_unvoid(self, number: int, board_id: str, newest: int, kind: EventKind) -> None:
        """Correct one of the last awards and adjustments."""
        events = self.run(self._model(board_id)).events
        valued = [
            event.version
            for event in events
            if event.kind == "award" or (event.points and event.kind == "adjust")
        ]
        if valued:
            version = valued[-1 - newest % len(valued)]
            assert self._correct(number, kind, board=board_id, target_version=version) is None

    @rule(number=st.integers(0, 1), user=users, days=st.sampled_from([0, 1, 8, 40]))
    def void_all_since(self, number: int, user: str, days: int) -> None:
        error = self._correct(number, EventKind.VOID, user_id=user, since_us=self.clock.us - days * DAY_US)
        assert error is None or isinstance(error, UnknownPlayer)

    @rule(seconds=st.sampled_from([0.5, 60, 3_600, 86_400, 6 * 86_400, 40 * 86_400]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(
        board_id=boards, kind=st.sampled_from(["day", "week", "month"]), late_us=st.sampled_from([-1, 0, 1])
    )
    def the_end_of_a_period_comes(self, board_id: str, kind: str, late_us: int) -> None:
        zone = self.boards[board_id].definition.timezone
        today = day_at(self.clock.us, zone)
        length = {"day": 1, "week": 7, "month": 31}[kind]
        following = first_day(kind, first_day(kind, today) + length * DAY)
        self.clock.us = max(self.clock.us, begins_us(following, zone) + late_us)

    @rule(seconds=st.sampled_from([-0.6, -25, 25]))
    def the_clock_is_set(self, seconds: float) -> None:
        # More than a minute without an event is a jump of the clock for a process.
        if abs(self.set_seconds + seconds) <= 30:
            self.set_seconds += seconds
            self.clock.set_ahead(seconds)

    @rule(number=st.integers(0, 1))
    def a_second_passes_on_a_process(self, number: int) -> None:
        self.run(self._heal(self._one(number)))
        self.run(self._tick(self._one(number)))

    async def _heal(self, one: Process) -> None:
        for board_id, positions in (await one.applier.find_behind(BOARDS)).items():
            # What is lost again is healed a second later.
            with suppress(RankingUnavailable):
                await one.applier.heal(board_id, positions)

    async def _tick(self, one: Process) -> None:
        """Have the rollovers committed that are due. The heads were read by healing."""
        self.clock.advance(1)
        await one.rollovers._tick()
        async with asyncio.timeout(LIMIT_SECONDS):
            while not await self._are_begun():  # noqa: ASYNC110  # a commit has no event to wait for
                await asyncio.sleep(0.001)

    async def _are_begun(self) -> bool:
        heads = await self.processes[0].store.heads()
        return all(
            heads[own.id].version == 0
            or heads[own.id].periods.get(kind, "") >= self._due(own.id, kind, late_us=TOLERANCE_US)
            for own in self.boards.values()
            for kind in own.definition.periods
        )

    @rule(number=st.integers(0, 1), when=st.sampled_from(["before", "after"]))
    def an_apply_is_lost(self, number: int, when: str) -> None:
        self._one(number).ranking.lose = when

    @rule(board_id=boards)
    def the_copy_is_flushed(self, board_id: str) -> None:
        self.run(self.processes[0].ranking.drop(board_id))

    @rule(jump_seconds=st.sampled_from([0, 0, 86_400, -86_400, -40 * 86_400, 40 * 86_400]))
    def restart(self, jump_seconds: int) -> None:
        self.run(self.opened.aclose())
        self.clock.set_ahead(jump_seconds)
        self.set_seconds = 0.0
        self.run(self._open())

    @invariant()
    def every_reading_is_the_fold_of_the_ledger(self) -> None:
        self.steps += 1
        if self.steps % STEPS_PER_CHECK == 0:
            self.run(self._check())

    async def _check(self) -> None:
        for one in self.processes:
            # Once a second, a process learns of corrections by others.
            await one.applier.find_behind(BOARDS)
        models = {board_id: await self._model(board_id) for board_id in BOARDS}
        for board_id, model in models.items():
            assert list(model.faults()) == []
            own, corrections = self.boards[board_id], {"award", "rollover"}
            corrected = [event.version for event in model.events if event.kind not in corrections]
            await check_store(self.processes[0], own, model)
            for one in self.processes:
                await check_public(one, own, model, at_least=max(corrected, default=0))
        for one in self.processes:
            one.ranking.lose = None
            await self._heal(one)
            for board_id, model in models.items():
                await check_reads(one, self.boards[board_id], model, USERS)

    async def _verify(self) -> None:
        one = self.processes[0]
        for board_id in BOARDS:
            verdict = await verify(one.store, one.ranking, board_id, lambda *_: None)
            assert verdict.differences == ()

    def teardown(self) -> None:
        with self.stack:
            if hasattr(self, "opened"):
                self.run(self._check())
                self.run(self._verify())
                self.run(self.opened.aclose())
