"""The services of one process, with a store and a ranking that a test can make slow or unavailable."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Head
from scoreboard.domain.queries import Query
from scoreboard.domain.scopes import WRITE_SCORES
from scoreboard.domain.standings import Change, ChangeKind, Snapshot
from scoreboard.domain.submissions import Caller, SubmissionRequest
from scoreboard.ports.observer import Observer
from scoreboard.ports.ranking import ApplyResult, CopyState
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.resilience.background_loop import running
from scoreboard.services.administer import Administration
from scoreboard.services.apply import Applier
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.heal import Healer
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.read_boards import BoardReader
from scoreboard.services.submit import Submitter
from scoreboard.settings.catalog import Catalog
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock, counted_ids
from tests.limits import LIMIT_SECONDS
from tests.making import DEFINITIONS, MAIN, QUEST, UNLIMITED, rules


class CountedFailures(Observer):
    """Records the work that failed."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def failed(self, work: str) -> None:
        self.failures.append(work)


class CountingStore(SqliteStore):
    """The real store. It counts its reads, and fails if a test says so."""

    pages = 0
    changes_read = 0
    fails = False

    async def heads(self) -> Mapping[str, Head]:
        if self.fails:
            raise StoreUnavailable
        return await super().heads()

    async def changes(self, board: str, after: int, limit: int) -> Change:
        self.changes_read += 1
        return await super().changes(board, after, limit)

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        self.pages += 1
        if self.fails:
            raise StoreUnavailable
        return await super().read(board, period, query)


class BreakableRanking(MemoryRanking):
    """The real ranking. It is unavailable or slow if a test says so."""

    is_unavailable = False

    def __init__(self) -> None:
        super().__init__(DEFINITIONS)
        self.holds: ChangeKind | None = None
        """A change of this kind waits for `go_on`."""
        self.held = asyncio.Event()
        self.go_on = asyncio.Event()
        self.steps = 0
        """The commits that were applied."""

    @property
    def is_readable(self) -> bool:
        return self._copy("main").readable

    async def copy_state(self, board: str) -> CopyState:
        self._check()
        return await super().copy_state(board)

    async def copy_states(self, boards: Collection[str]) -> Mapping[str, CopyState]:
        return {} if self.is_unavailable else await super().copy_states(boards)

    async def apply(self, change: Change, copy_id: str | None = None) -> ApplyResult:
        self._check()
        if change.kind is self.holds:
            self.held.set()
            await self.go_on.wait()
        self.steps += change.kind is ChangeKind.STEP
        return await super().apply(change, copy_id)

    async def read(self, board: str, period: str, query: Query) -> Snapshot:
        self._check()
        return await super().read(board, period, query)

    def _check(self) -> None:
        if self.is_unavailable:
            raise RankingUnavailable


class ApplierOf(Applier):
    """Calls a function of the test instead of a ranking."""

    def __init__(self, function: Callable[[Decision], Awaitable[Mapping[tuple[str, int], int]]]) -> None:
        self._function = function

    async def apply(self, decision: Decision) -> Mapping[tuple[str, int], int]:
        return await self._function(decision)

    def refuse_older_pages(self, _decision: Decision) -> None:
        """Do nothing: no pages are served."""


class Service:
    """The services of one process."""

    def __init__(self, store: CountingStore, clock: HeldClock) -> None:
        catalog = Catalog({"main": MAIN}, {"quest": QUEST})
        self.store = store
        self.clock = clock
        self.ranking = BreakableRanking()
        self.minimum = MinimumVersions()
        self.applier = Applier(store, self.ranking, self.minimum)
        self.healer = Healer(store, self.applier, self.minimum, ("main",))
        self.commit = GroupCommit(store, self.applier, rules(), clock)
        self.reader = BoardReader(catalog, store, self.ranking, self.minimum, clock)
        self.submitter = Submitter(catalog, self.commit, self.reader, new_id=counted_ids().__next__)

    def administration(self) -> Administration:
        return Administration(
            Catalog({"main": MAIN}, {}),
            self.store,
            self.applier,
            clock=self.clock,
            new_id=uuid4,
        )

    async def score(self, user_id: str = "ada", key: str | None = None) -> int | None:
        """Submit an action, and return the rank in the answer."""
        async with asyncio.timeout(LIMIT_SECONDS):
            caller = Caller(user_id, scopes=frozenset({WRITE_SCORES}))
            return (await self.submitter.submit(caller, SubmissionRequest("quest", user_id), key)).rank

    async def version(self) -> int:
        """Return the version of the board that a client sees."""
        return (await self.reader.page(None, 10)).version


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Service]:
    """Yield the running services of a process on a migrated file. Store and services share the clock."""
    clock = HeldClock()
    async with CountingStore(path, limit=UNLIMITED, clock=clock) as store:
        await store.register_boards([MAIN])
        service = Service(store, clock)
        async with running(*service.commit.loops):
            yield service


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not condition():  # noqa: ASYNC110  # the loops under test have no event to wait for
            await asyncio.sleep(0.001)
