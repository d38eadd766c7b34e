"""The composition root: it creates the drivers, the services and the ASGI application from the settings.

It is the only file that names a driver. There are two deployments: embedded (SQLite, and the ranking in
memory: one instance) and distributed (PostgreSQL and Redis: any number of instances). The libraries of
PostgreSQL and Redis take 0.3 s to load, so only the distributed deployment imports their drivers.
"""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import structlog
from starlette.types import ASGIApp

from scoreboard.clock import SystemClock
from scoreboard.domain.boards import Board
from scoreboard.domain.events import NewId
from scoreboard.domain.rules import DecisionInputs
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.metrics import CurrentState, Metrics
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, HasPools, Observer
from scoreboard.ports.progress import Report, ignore
from scoreboard.ports.ranking import Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.resilience.background_loop import BackgroundLoop, running
from scoreboard.server.file_limits import make_room_for_streams
from scoreboard.server.metrics_port import serve_metrics
from scoreboard.services.administer import Administration
from scoreboard.services.apply import Applier
from scoreboard.services.board_queries import BoardQueries
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.heal import Healer
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.read_boards import BoardReader
from scoreboard.services.rollovers import Rollovers
from scoreboard.services.submit import Submitter
from scoreboard.settings.catalog import Catalog
from scoreboard.settings.config import Settings
from scoreboard.settings.public_urls import OPAQUE_ORIGINS
from scoreboard.settings.shared_secrets import hash_key, make_digests
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from scoreboard.web.application import Services, make_application
from scoreboard.web.auth.tokens import Tokens

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """A running scoreboard, as the server needs it."""

    application: ASGIApp
    hub: Hub
    metrics_port: int | None
    """The port of /metrics, if it is enabled."""


def database_name(settings: Settings) -> str:
    """Return the database's address, without user and password."""
    if settings.is_distributed:
        from scoreboard.store.postgresql import postgresql_database

        return postgresql_database.address_of(settings.database_url)
    return str(settings.database_path)


def migrate(settings: Settings, report: Report = ignore) -> tuple[str | None, str]:
    """Migrate the database to this program's schema. Return the old and new revision. Raises StartError."""
    if settings.is_distributed:
        from scoreboard.store.postgresql import postgresql_database

        return postgresql_database.migrate(settings.full_database_url, report)
    return sqlite_file.migrate(settings.database_path, report)


def makes_its_database(settings: Settings) -> bool:
    """Return True if a server creates its database itself: a file that does not exist. Raises StartError."""
    return not settings.is_distributed and sqlite_file.is_new(settings.database_path)


def make_store(settings: Settings, clock: Clock | None = None) -> AdminStore:
    """Return the store of the settings. By default, the clock is this machine's or PostgreSQL's own."""
    if not settings.is_distributed:
        return SqliteStore(settings.database_path, limit=settings.rate_limit, clock=clock or SystemClock())
    from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
    from scoreboard.store.postgresql.store import PostgresqlStore

    limits = DatabaseLimits(
        connections=settings.database_pool_size,
        silence_seconds=settings.database_timeout_seconds,
        lock_seconds=settings.database_lock_timeout_seconds,
        statement_seconds=settings.database_statement_timeout_seconds,
    )
    return PostgresqlStore(
        settings.full_database_url,
        limit=settings.rate_limit,
        clock=clock,
        limits=limits,
        replica_url=settings.full_replica_url,
    )


def make_ranking(settings: Settings, boards: Mapping[str, Board]) -> Ranking:
    """Return the ranking of the settings, with copies of these boards."""
    definitions = {board.id: board.definition for board in boards.values()}
    url = settings.full_redis_url
    if url is None:
        return MemoryRanking(definitions)
    from scoreboard.ranking.redis.connection import RedisLimits
    from scoreboard.ranking.redis.ranking import RedisRanking

    limits = RedisLimits(settings.redis_pool_size, settings.redis_timeout_seconds)
    sentinel_password = settings.redis_sentinel_password
    return RedisRanking(
        url,
        definitions,
        prefix=settings.redis_prefix,
        is_cluster=settings.redis_cluster,
        limits=limits,
        sentinel_password=None if sentinel_password is None else sentinel_password.get_secret_value(),
    )


@asynccontextmanager
async def open_scoreboard(
    settings: Settings,
    catalog: Catalog,
    tokens: Tokens,
    *,
    is_demo: bool = False,
    clock: Clock | None = None,
    new_id: NewId = uuid4,
    admin_port: int | None = None,
) -> AsyncIterator[Scoreboard]:
    """Open the drivers, run the background loops, and close everything at the end of the block.

    `admin_port` is the port that serves administrators, if there is one. Raises SchemaError, StartError.
    """
    _check_origins(settings)
    own_clock = clock or SystemClock()
    metrics = None if settings.metrics_port is None else Metrics(own_clock)
    environment = _Environment(settings, catalog, tokens, own_clock, new_id, metrics or NULL_OBSERVER)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(make_store(settings, clock))
        ranking = await stack.enter_async_context(make_ranking(settings, catalog.boards))
        await store.register_boards(tuple(catalog.boards.values()))
        process = _make_process(environment, store, ranking)
        application = make_application(
            settings, process.services, hash_key=hash_key(settings), admin_port=admin_port, is_demo=is_demo
        )
        metrics_port = None
        if metrics is not None and settings.metrics_port is not None:
            metrics.registry.register(process.state)
            metrics_port = stack.enter_context(
                serve_metrics(metrics.registry, settings.metrics_host, settings.metrics_port)
            )
        await process.services.healer.prepare()
        await stack.enter_async_context(running(*process.loops))
        yield Scoreboard(application, process.services.hub, metrics_port)


@dataclass(frozen=True, slots=True)
class _Environment:
    """What the objects of a process are made from, besides the drivers."""

    settings: Settings
    catalog: Catalog
    tokens: Tokens
    clock: Clock
    new_id: NewId
    observer: Observer


@dataclass(frozen=True, slots=True)
class _Process:
    """The objects of a process, by who uses them: the routes, /metrics, and the event loop."""

    services: Services
    state: CurrentState
    loops: Sequence[BackgroundLoop]


def _make_process(environment: _Environment, store: AdminStore, ranking: Ranking) -> _Process:
    settings, catalog = environment.settings, environment.catalog
    tokens, clock, observer = environment.tokens, environment.clock, environment.observer
    boards = tuple(catalog.boards)
    digests = make_digests(settings)
    minimum, clock_guard = MinimumVersions(), ClockGuard(clock)
    applier = Applier(store, ranking, minimum, observer)
    healer = Healer(store, applier, minimum, boards, observer)
    inputs = DecisionInputs(catalog.boards, settings.rate_limit, environment.new_id)
    commit = GroupCommit(store, applier, inputs, clock, observer, minimum, clock_guard)
    rollovers = Rollovers(catalog.boards.values(), applier, commit, clock_guard, observer)
    reader = BoardReader(catalog, store, ranking, minimum, clock, observer)
    hub = _make_hub(environment, boards)
    board_cache = BoardCache(reader.page, catalog.boards, minimum_version=minimum.of)
    publisher = Publisher(board_cache, hub, boards, observer, known_version=applier.known_version)
    services = Services(
        catalog=catalog,
        submitter=Submitter(catalog, commit, reader, new_id=environment.new_id, digests=digests),
        queries=BoardQueries(reader, store, minimum),
        administration=Administration(
            catalog,
            store,
            applier,
            clock=clock,
            new_id=environment.new_id,
            digests=digests,
            clock_guard=clock_guard,
        ),
        healer=healer,
        clock_guard=clock_guard,
        board_cache=board_cache,
        publisher=publisher,
        hub=hub,
        tokens=tokens,
        clock=clock,
        observer=observer,
    )
    state = CurrentState(hub, commit, applier, healer, clock_guard, partial(_pools, store, ranking))
    following = BackgroundLoop("follow changes", lambda: publisher.follow(ranking.changed_boards()), observer)
    keys = BackgroundLoop("keys", tokens.refresh_keys, observer)
    loops = (healer.loop, *commit.loops, rollovers.loop, *publisher.loops, following, hub.loop, keys)
    return _Process(services, state, loops)


def _make_hub(environment: _Environment, boards: Sequence[str]) -> Hub:
    settings = environment.settings
    possible = make_room_for_streams()
    if settings.max_streams is not None and settings.max_streams > possible:
        log.warning("the limit of open files allows fewer streams: raise it (ulimit -n)", streams=possible)
    return Hub(
        boards,
        max_streams=min(possible, settings.max_streams or possible),
        max_streams_per_address=settings.max_streams_per_address or sys.maxsize,
        clock=environment.clock,
        observer=environment.observer,
    )


def _pools(*drivers: object) -> Mapping[str, tuple[int, int]]:
    return {
        name: use
        for driver in drivers
        if isinstance(driver, HasPools)
        for name, use in driver.pools().items()
    }


def _check_origins(settings: Settings) -> None:
    if shared := OPAQUE_ORIGINS.intersection(settings.cors_origins):
        log.warning(
            "SCOREBOARD_CORS_ORIGINS has an origin that pages of different authors share",
            origins=sorted(shared),
        )


@asynccontextmanager
async def open_administration(settings: Settings, catalog: Catalog) -> AsyncIterator[Administration]:
    """Open the administrators' service for a command, next to servers. Raises SchemaError, StartError."""
    async with make_store(settings) as store, make_ranking(settings, catalog.boards) as ranking:
        await store.register_boards(tuple(catalog.boards.values()))
        applier = Applier(store, ranking)
        yield Administration(
            catalog,
            store,
            applier,
            clock=SystemClock(),
            new_id=uuid4,
            digests=make_digests(settings),
        )
