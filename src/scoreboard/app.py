"""The composition root: settings → drivers → service → ASGI application. The only file that names a driver.

There are two deployments: embedded (SQLite and memory, one instance) and distributed (PostgreSQL and Redis, many).
"""

import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import structlog
from starlette.types import ASGIApp

from scoreboard.clock import SystemClock
from scoreboard.domain.digests import Digests
from scoreboard.domain.errors import StartError
from scoreboard.domain.events import NewId
from scoreboard.fanout.board_cache import BoardCache
from scoreboard.fanout.hub import Hub
from scoreboard.fanout.publisher import Publisher
from scoreboard.metrics import Metrics, MetricSources
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.clock import Clock
from scoreboard.ports.observer import NULL_OBSERVER, Pooled
from scoreboard.ports.ranking import Ranking
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.ranking.redis import connection as redis_connection
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.server.file_limits import make_room_for_streams
from scoreboard.server.metrics_port import served
from scoreboard.services.administer import Administration
from scoreboard.services.apply import Applier
from scoreboard.services.clock_guard import ClockGuard
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.heal import Healer
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.read_boards import BoardReader
from scoreboard.services.submit import Submitter
from scoreboard.settings.catalog import Catalog
from scoreboard.settings.config import Settings
from scoreboard.settings.public_urls import OPAQUE_ORIGINS
from scoreboard.settings.signing_secret import load_secret
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.store import PostgresqlStore
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from scoreboard.web.application import Services, make_application
from scoreboard.web.auth.key_set import ASYMMETRIC, HS256, Key, read_pem
from scoreboard.web.auth.key_sources import FixedKeys, JwksKeys, Keys, secrets
from scoreboard.web.auth.tokens import Policy, Tokens

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """A running scoreboard: what a server serves, and what it ends by its signals."""

    application: ASGIApp
    hub: Hub
    metrics_port: int | None
    """Where Prometheus finds /metrics, if it is to."""


def database_name(settings: Settings) -> str:
    """The database as a person knows it, without who may enter it."""
    if settings.is_distributed:
        return postgresql_database.address_of(settings.database_url)
    return str(settings.database_path)


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to this program's schema; say from which revision to which. Raises StartError."""
    if settings.is_distributed:
        return postgresql_database.migrate(settings.full_database_url)
    return sqlite_file.migrate(settings.database_path)


def makes_its_database(settings: Settings) -> bool:
    """Whether a server makes its database by itself: a file that is not there yet. Raises StartError."""
    return not settings.is_distributed and sqlite_file.is_new(settings.database_path)


def make_store(settings: Settings, clock: Clock | None = None) -> AdminStore:
    """The truth that the settings name. Without a clock given, SQLite goes by this machine's, PostgreSQL by its own."""
    if not settings.is_distributed:
        return SqliteStore(settings.database_path, limit=settings.rate_limit, clock=clock or SystemClock())
    limits = postgresql_database.Limits(
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


def make_ranking(settings: Settings, boards: Iterable[str]) -> Ranking:
    """The ordered copy that goes with the store; it tells of changes of these boards."""
    url = settings.full_redis_url
    if url is None:
        return MemoryRanking()
    limits = redis_connection.Limits(settings.redis_pool_size, settings.redis_timeout_seconds)
    sentinel_password = settings.redis_sentinel_password
    return RedisRanking(
        url,
        boards,
        prefix=settings.redis_prefix,
        is_cluster=settings.redis_cluster,
        limits=limits,
        sentinel_password=None if sentinel_password is None else sentinel_password.get_secret_value(),
    )


def make_tokens(settings: Settings, clock: Clock | None = None) -> Tokens:
    """What signs and checks tokens. Raises StartError."""
    own_clock = clock or SystemClock()
    policy = Policy(
        issuer=settings.jwt_issuer,
        audiences=settings.jwt_audience,
        type=settings.jwt_type,
        max_lifetime_seconds=settings.jwt_max_lifetime_seconds,
        unscoped_may_score=settings.jwt_unscoped_may_score,
    )
    return Tokens(_make_keys(settings, own_clock), own_clock, policy, _digests(settings))


def _make_keys(settings: Settings, clock: Clock) -> Keys:
    # Who has public keys and no secret does not want a secret that nobody knows of.
    has_secret = settings.jwt_secret is not None or not settings.has_public_keys
    allowed = settings.jwt_algorithms or ((HS256,) if has_secret else ()) + (
        ASYMMETRIC if settings.has_public_keys else ()
    )
    keys: list[Key] = []
    if has_secret and HS256 in allowed:
        old = (secret.get_secret_value().encode() for secret in settings.jwt_old_secrets)
        keys += secrets(load_secret(settings), *old)
    keys += [read_pem(path, allowed) for path in settings.jwt_public_keys]
    if settings.jwt_jwks_url is not None:
        if not set(ASYMMETRIC).intersection(allowed):
            raise StartError(
                "SCOREBOARD_JWT_ALGORITHMS names none that a key of SCOREBOARD_JWT_JWKS_URL could be for: "
                f"add one of {', '.join(ASYMMETRIC)}."
            )
        return JwksKeys(settings.jwt_jwks_url, allowed, clock, fixed=keys)
    if not keys:
        raise StartError(
            "No key could verify a token: SCOREBOARD_JWT_ALGORITHMS names none of those that are set."
        )
    return FixedKeys(keys)


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
    """Open the drivers, start what runs in the background, and close all of it at the end.

    Administrators come by `admin_port`, if there is one.

    Raises SchemaError, StartError. Background loops that fail are logged and retried.
    """
    if shared := OPAQUE_ORIGINS.intersection(settings.cors_origins):
        log.warning(
            "SCOREBOARD_CORS_ORIGINS names an origin that pages of different authors share",
            origins=sorted(shared),
        )
    boards = tuple(catalog.boards)
    own_clock = clock or SystemClock()
    metrics = None if settings.metrics_port is None else Metrics(own_clock)
    observer = metrics or NULL_OBSERVER
    digests = _digests(settings)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(make_store(settings, clock))
        ranking = await stack.enter_async_context(make_ranking(settings, boards))
        await store.register_boards(tuple(catalog.boards.values()))
        minimum = MinimumVersions()
        clock_guard = ClockGuard(own_clock)
        applier = Applier(store, ranking, minimum, observer)
        healer = Healer(store, applier, minimum, boards, observer)
        commit = GroupCommit(store, applier, settings.rate_limit, clock_guard, observer)
        reader = BoardReader(catalog, store, ranking, minimum, own_clock, observer)
        submitter = Submitter(catalog, commit, reader, new_id=new_id, digests=digests)
        hub = Hub(
            boards,
            max_streams=_max_streams(settings),
            max_streams_per_address=settings.max_streams_per_address or sys.maxsize,
            clock=own_clock,
            observer=observer,
        )
        board_cache = BoardCache(reader.page, minimum_version=minimum.of)
        publisher = Publisher(board_cache, hub, boards, observer)
        administration = Administration(
            catalog,
            store,
            applier.apply_correction,
            clock=own_clock,
            new_id=new_id,
            digests=digests,
            clock_guard=clock_guard,
        )
        services = Services(
            catalog=catalog,
            submitter=submitter,
            administration=administration,
            healer=healer,
            clock_guard=clock_guard,
            board_cache=board_cache,
            publisher=publisher,
            hub=hub,
            tokens=tokens,
            clock=own_clock,
            observer=observer,
        )
        application = make_application(
            settings, services, hash_key=_hash_key(settings), admin_port=admin_port, is_demo=is_demo
        )
        metrics_port = None
        if metrics is not None and settings.metrics_port is not None:
            metrics.watch(
                MetricSources(hub, commit, applier, healer, clock_guard, partial(_pools, store, ranking))
            )
            metrics_port = stack.enter_context(
                served(metrics.registry, settings.metrics_host, settings.metrics_port)
            )
        await healer.prepare()
        for loop in (
            healer.loop,
            *commit.loops,
            *publisher.loops,
            BackgroundLoop("follow changes", lambda: publisher.follow(ranking.changed_boards()), observer),
            hub.loop,
            BackgroundLoop("keys", tokens.refresh_keys, observer),
        ):
            await stack.enter_async_context(loop)
        yield Scoreboard(application, hub, metrics_port)


def _hash_key(settings: Settings) -> bytes | None:
    """Return the key that hashes client addresses: the first of the shared secrets, if there is one."""
    key = next(iter(_shared_secrets(settings)), None)
    if key is None:
        log.warning(
            "events keep no provenance, and digests of idempotency keys are unkeyed: set SCOREBOARD_ORIGIN_SECRET"
        )
    return key


def _digests(settings: Settings) -> Digests:
    """Return the digests, which are equal on all instances and are still found after a change of the secret."""
    old = (secret.get_secret_value().encode() for secret in settings.jwt_old_secrets)
    return Digests([*_shared_secrets(settings), *old])


def _shared_secrets(settings: Settings) -> Sequence[bytes]:
    """Return the secrets that all instances share. The first one makes new hashes."""
    shared = [] if settings.origin_secret is None else [settings.origin_secret.get_secret_value().encode()]
    # A single instance without a secret creates a file with one.
    if settings.jwt_secret is not None or not (
        settings.is_distributed or (shared and settings.has_public_keys)
    ):
        shared.append(load_secret(settings))
    return shared


@asynccontextmanager
async def open_administration(settings: Settings, catalog: Catalog) -> AsyncIterator[Administration]:
    """An administrator's service of its own, beside running servers. Raises SchemaError, StartError."""
    async with make_store(settings) as store, make_ranking(settings, catalog.boards) as ranking:
        await store.register_boards(tuple(catalog.boards.values()))

        applier = Applier(store, ranking)
        yield Administration(
            catalog,
            store,
            applier.apply_correction,
            clock=SystemClock(),
            new_id=uuid4,
            digests=_digests(settings),
        )


def _pools(*drivers: object) -> Mapping[str, tuple[int, int]]:
    return {
        name: use for driver in drivers if isinstance(driver, Pooled) for name, use in driver.pools().items()
    }


def _max_streams(settings: Settings) -> int:
    possible = make_room_for_streams()
    if settings.max_streams is not None and settings.max_streams > possible:
        log.warning("the limit of open files allows fewer streams: raise it (ulimit -n)", streams=possible)
    return min(possible, settings.max_streams or possible)
