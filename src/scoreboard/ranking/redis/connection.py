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
"""Every error that a call can raise. (RedisClusterException is not a RedisError.)"""

MIN_VERSION: Final = 7
"""Redis 7.0 introduced sharded Pub/Sub, which the scripts use."""

Client = Redis | RedisCluster

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RedisLimits:
    """Size of the connection pool, and time limit of an answer."""

    connections: int
    silence_seconds: float


async def disconnect(client: Client) -> None:
    """Close idle connections: the server's name may lead to another server now."""
    if isinstance(client, RedisCluster):
        await client.aclose()
    else:
        await client.connection_pool.disconnect(inuse_connections=False)


async def check(client: Client, silence_seconds: float) -> None:
    """Raise StartError if the server refuses connections or is too old. Only log an unreachable one."""
    try:
        async with asyncio.timeout(10 * silence_seconds):
            servers = await client.info()
    except (AuthenticationError, NoPermissionError) as error:
        raise StartError(f"Redis refuses the connection ({error}): check SCOREBOARD_REDIS_URL.") from error
    except FAILURES as error:
        log.warning(
            "Redis is unreachable: boards are read from the store until it is back", reason=str(error)
        )
        return
    # In a cluster, each server answers.
    for server in [servers] if "redis_version" in servers else servers.values():
        version = str(server["redis_version"])
        if int(version.partition(".")[0]) < MIN_VERSION:
            raise StartError(f"This is Redis {version}: version {MIN_VERSION} or newer is needed.")
        if server.get("maxmemory_policy") != "noeviction":
            log.warning(
                "Redis may delete parts of boards when it is full: set maxmemory-policy noeviction",
                policy=server.get("maxmemory_policy"),
            )
