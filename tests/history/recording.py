"""Load on several instances, and a record of all requests, answers and frames while a test breaks things.

async with recording(instances, token_for) as load:
    await load.more_acknowledged(100)
    ...  # a fault, and its end
    await load.healed(10.0)
history = await with_ledger(load.history, settings)
assert check(history, settings.rate_limit) == []
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.standings import Snapshot
from tests.history.clients import Clients, Plan
from tests.history.records import TOP, Acknowledged, Frame, History, Outcome
from tests.history.watchers import Watcher, read_snapshot
from tests.history.wire import ConnectionLost, Connections, NotConnected
from tests.limits import LIMIT_SECONDS

FINAL_LIMIT = 100
"""Entries of the final reads: the maximum of the API."""

DEFAULT = Plan()
"""A load that two cores can carry next to several servers."""

CALM_SECONDS = 0.3
"""All instances must agree for this long: a request without a waiting client may still be written."""

SHOWN = 20
"""Answers in the message of a wait that failed."""

POLL_SECONDS = 0.05
"""How often all instances are queried during a wait."""


class Load:
    """The test's handle while the load runs. `submit` sends a submission of the test's own, also recorded."""

    def __init__(self, instances: Sequence[str], token_for: Callable[[str], str], plan: Plan) -> None:
        self._frames: list[Frame] = []
        self._shown = asyncio.Event()
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._finals: list[Frame] = []
        self._rng = random.Random(plan.seed)
        self._connections = {instance: Connections(instance) for instance in instances}
        self._clients = Clients(self._connections, token_for, plan, self.now, self._rng)
        self._watchers = [
            Watcher(f"{board}-{kind}-stays-{place}-{number}", board, (instance,), kind)
            for board, kind in plan.views
            for place, instance in enumerate(instances)
            for number in range(plan.staying)
        ] + [
            Watcher(f"{board}-{kind}-rotates-{number}", board, instances, kind)
            for board, kind in plan.views
            for number in range(plan.rotating)
        ]

    @property
    def history(self) -> History:
        """The record so far. The final reads are added at the end of the recording."""
        return History(
            instances=tuple(self._connections),
            watchers={watcher.name: watcher.board for watcher in self._watchers},
            attempts=tuple(self._clients.attempts),
            frames=tuple(self._frames),
            finals=tuple(self._finals),
            kinds={watcher.name: watcher.kind for watcher in self._watchers if watcher.kind != ALL_TIME},
            definitions=self._plan.definitions,
        )

    def now(self) -> float:
        """Seconds since the start of the recording."""
        return self._loop.time() - self._began

    async def submit(
        self, user_id: str, action_id: str, key: str | None = None, within_seconds: float | None = None
    ) -> Outcome:
        """Send a submission of the test's own. See `Clients.submit`."""
        return await self._clients.submit(user_id, action_id, key, within_seconds)

    async def more_acknowledged(self, count: int, within_seconds: float = LIMIT_SECONDS) -> None:
        """Wait until this many more submissions are acknowledged. Raises TimeoutError."""
        clients = self._clients
        wanted = clients.acknowledged + count
        async with self._telling(f"{count} more submissions acknowledged", within_seconds):
            while clients.acknowledged < wanted:
                clients.answered.clear()
                await clients.answered.wait()

    async def more_shown(self, count: int, within_seconds: float = LIMIT_SECONDS) -> None:
        """Wait until watchers have received this many more frames. Raises TimeoutError."""
        wanted = len(self._frames) + count
        async with self._telling(f"{count} more frames shown", within_seconds):
            while len(self._frames) < wanted:
                self._shown.clear()
                await self._shown.wait()

    async def healed(self, within_seconds: float) -> float:
        """Wait until everything works again. Return the seconds that it took. Raises TimeoutError.

        That is: each instance acknowledges a new submission with its rank and shows it, on each board with
        load, and each watcher receives a board that is not older.
        """
        started = self.now()
        async with self._telling("healed", within_seconds):
            probes = [
                self._probe(instance, action)
                for action in self._plan.actions
                for instance in self._connections
            ]
            for board in await asyncio.gather(*probes):
                await self._watched(board)
        return self.now() - started

    @asynccontextmanager
    async def _telling(self, what: str, within_seconds: float) -> AsyncIterator[None]:
        """A time limit whose error message contains the last answers of the clients."""
        try:
            async with asyncio.timeout(within_seconds):
                yield
        except TimeoutError:
            last = [f"{attempt}: {attempt.outcome}" for attempt in self._clients.attempts[-SHOWN:]]
            raise TimeoutError(
                "\n".join((f"not {what} within {within_seconds} s; the last answers:", *last))
            ) from None

    async def _probe(self, instance: str, action_id: str) -> Snapshot:
        user_id = self._clients.new_name("probe")
        while True:
            outcome = await self._clients.attempt(instance, user_id, action_id, user_id)
            if isinstance(outcome, Acknowledged) and outcome.rank is not None:
                break
            await asyncio.sleep(POLL_SECONDS)
        while True:
            board = await self._read(instance, outcome.board)
            if board is not None and board.version >= outcome.version:
                return board
            await asyncio.sleep(POLL_SECONDS)

    async def _read(self, instance: str, board: str, kind: str = ALL_TIME) -> Snapshot | None:
        path = f"/api/leaderboard?board={board}&period={kind}&limit={FINAL_LIMIT}"
        within_seconds = self._plan.timeout_seconds
        try:
            answer = await self._connections[instance].request("GET", path, {}, within_seconds=within_seconds)
        except (NotConnected, ConnectionLost):
            return None
        return read_snapshot(answer.body.decode()) if answer.status == 200 else None

    def _record(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._shown.set()

    async def _watched(self, board: Snapshot, kind: str = ALL_TIME) -> None:
        while not self._watchers_have(board, kind):
            self._shown.clear()
            await self._shown.wait()

    def _watchers_have(self, board: Snapshot, kind: str) -> bool:
        """Return True if a change is visible in the top of the board. Other changes are not sent."""
        top = (board.period, board.entries[:TOP])
        return all(
            watcher.shown is not None
            and (
                watcher.shown.version >= board.version or (watcher.shown.period, watcher.shown.entries) == top
            )
            for watcher in self._watchers
            if (watcher.board, watcher.kind) == (board.board, kind)
        )

    def start(self, group: asyncio.TaskGroup) -> tuple[list[asyncio.Task[None]], list[asyncio.Task[None]]]:
        """Run all clients and all watchers."""
        clients = [group.create_task(self._clients.run()) for _ in range(self._plan.clients)]
        watchers = [
            group.create_task(watcher.run(self._connections, self._record, self.now, self._rng))
            for watcher in self._watchers
        ]
        return clients, watchers

    async def settle(self, clients: Collection[asyncio.Task[None]]) -> None:
        """Stop the clients. Read the final boards when instances and watchers agree, or at the time limit."""
        self._clients.stop()
        if clients:
            _, unsettled = await asyncio.wait(clients, timeout=self._plan.settle_seconds)
            for client in unsettled:
                client.cancel()
            await asyncio.wait(clients)
        newest = dict.fromkeys(self._plan.boards, 0)
        for _, answer in self.history.acknowledged():
            newest[answer.board] = max(newest.get(answer.board, 0), answer.version)
        for board, kind in self._plan.views:
            reads = await self._agreed(board, kind, newest[board])
            self._finals += (
                Frame("the end", instance, self.now(), read, FINAL_LIMIT)
                for instance, read in reads.items()
                if read is not None
            )

    async def _agreed(self, board: str, kind: str, version: int) -> dict[str, Snapshot | None]:
        """Return each instance's board when it is stable and all watchers have it, or at the time limit."""
        reads: dict[str, Snapshot | None] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(self._plan.settle_seconds):
                while True:
                    before, reads = reads, await self._read_all(board, kind)
                    first, *others = reads.values()
                    if first is None or first.version < version or any(read != first for read in others):
                        await asyncio.sleep(POLL_SECONDS)
                    elif before != reads:
                        await asyncio.sleep(CALM_SECONDS)
                    else:
                        await self._watched(first, kind)
                        break
        return reads

    async def _read_all(self, board: str, kind: str) -> dict[str, Snapshot | None]:
        return {instance: await self._read(instance, board, kind) for instance in self._connections}

    async def close(self) -> None:
        """Close all open connections."""
        for connections in self._connections.values():
            await connections.aclose()


@asynccontextmanager
async def recording(
    instances: Sequence[str], token_for: Callable[[str], str], plan: Plan = DEFAULT
) -> AsyncIterator[Load]:
    """Put a load on these instances during the block, and record everything.

    At the end the clients stop, their keys are settled, and all instances and watchers come to agree, within
    time limits. Then `Load.history` is complete except for the ledger. The checker reports an instance or
    watcher that does not agree.
    """
    load = Load(instances, token_for, plan)
    try:
        async with asyncio.TaskGroup() as group:
            clients, watchers = load.start(group)
            try:
                yield load
                await load.settle(clients)
            finally:
                for task in (*clients, *watchers):
                    task.cancel()
    except BaseExceptionGroup as failures:
        # An error of the test itself is raised as it is.
        if len(failures.exceptions) == 1:
            raise failures.exceptions[0] from None
        raise
    finally:
        await load.close()
