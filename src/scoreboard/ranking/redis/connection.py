"""Connections to Redis: required configuration, errors, and a circuit breaker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from redis import RedisError
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException

from scoreboard.domain.errors import RankingUnavailable, StartError
from scoreboard.resilience.background import keep_running

FAILURES: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
"""All that Redis can do to whoever needs it. (What is wrong with a whole cluster is no RedisError.)"""

OLDEST: Final = 7
"""Sharded Pub/Sub, which scripts publish to, came with Redis 7.0."""

PROBE_SECONDS: Final = 0.25
"""How often a server that was lost is tried again."""

PROBE_KEPT_MS: Final = 10_000
"""A probe writes: a replica that takes no writes, or a server without memory, is of no use here."""

WAIT_FOR_CONNECTION_SECONDS: Final = 0.25
"""Limit of the wait for a free connection. A longer wait means that this process is overloaded, not Redis."""

Client = Redis | RedisCluster

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be, and how long an answer is waited for."""

    connections: int
    silence_seconds: float


async def disconnect(client: Client) -> None:
    """Let go of connections that nobody uses: what a name leads to may be another server by now."""
    if isinstance(client, RedisCluster):
        await client.aclose()
    else:
        await client.connection_pool.disconnect(inuse_connections=False)


async def check(client: Client, silence_seconds: float) -> None:
    """Raises StartError where the server refuses us or is too old. One that is out of reach may come back."""
    try:
        async with asyncio.timeout(10 * silence_seconds):
            servers = await client.info()
    except (AuthenticationError, NoPermissionError) as error:
        raise StartError(f"Redis refuses to let us in ({error}): check SCOREBOARD_REDIS_URL.") from error
    except FAILURES as error:
        log.warning(
            "Redis is out of reach: scores are taken, and boards are read from the store", reason=str(error)
        )
        return
    # A cluster's nodes answer each for themselves.
    for server in [servers] if "redis_version" in servers else servers.values():
        version = str(server["redis_version"])
        if int(version.partition(".")[0]) < OLDEST:
            raise StartError(f"This is Redis {version}: version {OLDEST} or newer is needed.")
        if server.get("maxmemory_policy") != "noeviction":
            log.warning(
                "Redis may throw parts of the boards away when it is full: set maxmemory-policy noeviction",
                policy=server.get("maxmemory_policy"),
            )


class Breaker:
    """Lets nobody wait for a server that is lost, until a probe has found it again."""

    def __init__(
        self, probe: Callable[[], Awaitable[object]], silence_seconds: float, back: Callable[[], None]
    ) -> None:
        self._probe = probe
        self._silence_seconds = silence_seconds
        self._back = back
        self._probing: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise RankingUnavailable while the breaker is open."""
        if self._probing is not None:
            raise RankingUnavailable

    @contextmanager
    def guard(self) -> Iterator[None]:
        """What fails inside opens the breaker. Raises RankingUnavailable, at once while it is open."""
        self.check()
        try:
            yield
        except FAILURES as error:
            if self._probing is None:
                log.warning("Redis is lost", reason=str(error) or type(error).__name__)
                self._probing = asyncio.create_task(keep_running("redis probe", self._probe_until_back))
            raise RankingUnavailable from error

    async def aclose(self) -> None:
        """Probe no more."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait((self._probing,))

    async def _probe_until_back(self) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if await self._is_back():
                break
        log.info("Redis is back")
        self._probing = None
        self._back()

    async def _is_back(self) -> bool:
        try:
            async with asyncio.timeout(self._silence_seconds):
                await self._probe()
        except FAILURES:
            return False
        return True
