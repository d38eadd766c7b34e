"""The parts of a scoreboard in the open: its store counts and fails, its ranking is slow or gone, as a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from scoreboard.domain.errors import RankingUnavailable, StoreUnavailable
from scoreboard.domain.events import Head
from scoreboard.domain.scopes import WRITE_SCORES
from scoreboard.domain.standings import Change, ChangeKind, Snapshot
from scoreboard.domain.submissions import Caller
from scoreboard.ports.ranking import Applied, Progress
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.healing import Healing
from scoreboard.services.scoring import Scoring
from scoreboard.settings.catalog import Catalog
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock, counted_ids
from tests.limits import LIMIT_SECONDS
from tests.making import MAIN, QUEST, UNLIMITED


class Reads(SqliteStore):
    """The real store, which counts the pages that it is asked for, and fails where it is told to."""

    pages = 0
    stretches = 0
    fails = False

    async def heads(self) -> Mapping[str, Head]:
        if self.fails:
            raise StoreUnavailable
        return await super().heads()

    async def changes(self, board: str, after: int, limit: int) -> Change:
        self.stretches += 1
        return await super().changes(board, after, limit)

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        self.pages += 1
        if self.fails:
            raise StoreUnavailable
        return await super().page(board, limit, offset)


class Breakable(MemoryRanking):
    """The real ranking, which is out of reach or slow where it is told to be."""

    gone = False

    def __init__(self) -> None:
        super().__init__()
        self.holds: ChangeKind | None = None
        """Who applies a change of this kind waits until `go_on`."""
        self.held = asyncio.Event()
        self.go_on = asyncio.Event()

    @property
    def is_readable(self) -> bool:
        return self._copy("main").readable

    async def progress(self, board: str) -> Progress:
        self._check()
        return await super().progress(board)

    async def apply(self, change: Change, copy: str | None = None) -> Applied:
        self._check()
        if change.kind is self.holds:
            self.held.set()
            await self.go_on.wait()
        return await super().apply(change, copy)

    async def page(self, board: str, limit: int, offset: int) -> Snapshot:
        self._check()
        return await super().page(board, limit, offset)

    async def rank(self, board: str, player: int) -> int | None:
        self._check()
        return await super().rank(board, player)

    def _check(self) -> None:
        if self.gone:
            raise RankingUnavailable


class Service:
    """A process."""

    def __init__(self, store: Reads, clock: HeldClock) -> None:
        self.store = store
        self.clock = clock
        self.ranking = Breakable()
        self.healing = Healing(store, self.ranking, ("main",))
        self.scoring = Scoring(
            Catalog({"main": MAIN}, {"quest": QUEST}),
            store,
            self.ranking,
            self.healing,
            limit=UNLIMITED,
            clock=clock,
            new_id=counted_ids().__next__,
        )

    async def score(self, user_id: str = "ada", key: str | None = None) -> int | None:
        async with asyncio.timeout(LIMIT_SECONDS):
            caller = Caller(user_id, scopes=frozenset({WRITE_SCORES}))
            return (await self.scoring.submit(caller, "quest", user_id, key)).rank

    async def version(self) -> int:
        return (await self.scoring.board(None, 10)).version


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Service]:
    """A process on a migrated file. Its store's clock is the service's."""
    clock = HeldClock()
    async with Reads(path, limit=UNLIMITED, clock=clock) as store:
        await store.register_boards([MAIN])
        service = Service(store, clock)
        async with service.scoring.commit.loop:
            yield service


async def until(is_so: Callable[[], bool]) -> None:
    """Let everything else go on until something is so, for five seconds at the most."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not is_so():  # noqa: ASYNC110  # the loops under test have no event to wait for
            await asyncio.sleep(0.001)
