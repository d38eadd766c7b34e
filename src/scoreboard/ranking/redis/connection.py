"""Connections to Redis: required configuration and errors."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog
from redis import RedisError
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException

from scoreboard.domain.errors import StartError

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
