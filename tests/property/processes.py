"""A process of the program in a property test: its services, on a store and a ranking that loses changes."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from scoreboard.domain.boards import Board
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import Change
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.clock import Clock
from scoreboard.ports.ranking import ApplyResult
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.resilience.background_loop import running
from scoreboard.services.administer import Administration
from scoreboard.services.apply import Applier
from scoreboard.services.board_queries import BoardQueries
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.read_boards import BoardReader
from scoreboard.services.rollovers import Rollovers
from scoreboard.services.submit import Submitter
from scoreboard.settings.catalog import Catalog
from tests.making import rules


class _Lossy:
    """Loses the next apply if `lose` says so: "before" it is done, or "after" it, its result."""

    lose: str | None = None

    async def apply(self, change: Change, copy_id: str | None = None) -> ApplyResult:
        lose, self.lose = self.lose, None
        if lose == "before":
            raise RankingUnavailable
        applied: ApplyResult = await super().apply(change, copy_id)  # type: ignore[misc]
        if lose == "after":
            raise RankingUnavailable
        return applied


class LossyMemory(_Lossy, MemoryRanking):
    """The ranking in memory."""


class LossyRedis(_Lossy, RedisRanking):
    """The ranking in Redis."""


Lossy = LossyMemory | LossyRedis


@dataclass(frozen=True)
class Drivers:
    """Where an example keeps its data. A store has the boards' rows."""

    open_store: Callable[[Clock, Sequence[Board]], AbstractAsyncContextManager[AdminStore]]
    make_ranking: Callable[[Mapping[str, Definition]], Lossy]


@dataclass(frozen=True)
class Process:
    """The services. Of the background loops, only those of the group commit run."""

    store: AdminStore
    ranking: Lossy
    applier: Applier
    commit: GroupCommit
    rollovers: Rollovers
    submitter: Submitter
    administration: Administration
    reader: BoardReader
    queries: BoardQueries
    cache: BoardCache
    hub: Hub
    publisher: Publisher


@asynccontextmanager
async def process(
    drivers: Drivers, catalog: Catalog, clock: Clock, ids: Iterator[UUID]
) -> AsyncIterator[Process]:
    """Run a process. It begins with an empty ranking if that is in memory."""
    boards = tuple(catalog.boards.values())
    definitions = {board.id: board.definition for board in boards}
    async with drivers.open_store(clock, boards) as store, drivers.make_ranking(definitions) as ranking:
        minimum, clock_guard = MinimumVersions(), ClockGuard(clock)
        applier = Applier(store, ranking, minimum)
        inputs = rules(boards=boards)
        commit = GroupCommit(store, applier, inputs, clock, minimum=minimum, clock_guard=clock_guard)
        reader = BoardReader(catalog, store, ranking, minimum, clock)
        cache = BoardCache(reader.page, catalog.boards, minimum_version=minimum.of)
        hub = Hub(definitions, clock=clock)
        async with running(*commit.loops):
            yield Process(
                store=store,
                ranking=ranking,
                applier=applier,
                commit=commit,
                rollovers=Rollovers(boards, applier, commit, clock_guard),
                submitter=Submitter(catalog, commit, reader, new_id=ids.__next__),
                administration=Administration(
                    catalog, store, applier, clock=clock, new_id=ids.__next__, clock_guard=clock_guard
                ),
                reader=reader,
                queries=BoardQueries(reader, store, minimum),
                cache=cache,
                hub=hub,
                publisher=Publisher(cache, hub, tuple(definitions)),
            )
