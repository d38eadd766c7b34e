"""Redis clients: for one server, for a cluster, or for the primary that Sentinels name."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError
from redis.maint_notifications import MaintNotificationsConfig

from scoreboard.ranking.redis.connection import FAILURES, Client, RedisLimits
from scoreboard.settings.redis_url import RedisAddress

NO_MAINTENANCE: Final = MaintNotificationsConfig(enabled=False)
"""Turned off: with maintenance notices, redis-py does not notice that an idle connection was closed."""


@dataclass(frozen=True, slots=True)
class RedisServers:
    """The address of Redis, with the size and the time limits of the connection pool."""

    address: RedisAddress
    limits: RedisLimits
    is_cluster: bool = False
    sentinel_password: str | None = None

    def client(self) -> Client:
        """Return a client for all calls. It reopens a connection once that the server has closed."""
        if not self.is_cluster:
            return self._single(retries=1)
        seeds = [ClusterNode(host, port) for host, port in self.address.hosts]
        return RedisCluster(
            startup_nodes=seeds,
            ssl=self.address.is_tls,
            max_connections=self.limits.connections,
            **self._connection_options(retries=1),
        )

    def subscriber(self, node: tuple[str, int] | None = None) -> Redis:
        """Return a subscriber's client of one server: the only one, the primary, or a node of the cluster.

        It fails when its connection is lost: resubscribing silently would hide missed messages.
        """
        return self._single(retries=0) if node is None else self._server(node, retries=0)

    def _single(self, retries: int) -> Redis:
        if self.address.service is not None:
            return self._primary(self.address.service, retries)
        return self._server(self.address.hosts[0] if self.address.hosts else None, retries)

    def _server(self, host_and_port: tuple[str, int] | None, retries: int) -> Redis:
        """Return a client of one server, or of the Unix socket if there is no host."""
        options = self._connection_options(retries)
        if host_and_port is not None:
            options["host"], options["port"] = host_and_port
        if self.address.is_tls:
            options["connection_class"] = SSLConnection
        # If all connections are busy, the next call waits. The default pool would raise.
        pool = BlockingConnectionPool(
            max_connections=self.limits.connections, timeout=self.limits.silence_seconds, **options
        )
        return Redis.from_pool(pool)

    def _primary(self, service: str, retries: int) -> Redis:
        tls = {name: value for name, value in self.address.options.items() if name.startswith("ssl_")}
        sentinel_options = {
            **tls,
            "ssl": self.address.is_tls,
            "password": self.sentinel_password,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": None,
            "maint_notifications_config": NO_MAINTENANCE,
        }
        # A silent Sentinel must leave time to ask the next one.
        share = self.limits.silence_seconds / (len(self.address.hosts) + 1)
        sentinels = _Sentinels(share, self.address.hosts, sentinel_kwargs=sentinel_options)
        pool = _PrimaryPool(  # type: ignore[no-untyped-call]
            service,
            sentinels,
            ssl=self.address.is_tls,
            max_connections=self.limits.connections,
            **self._connection_options(retries),
        )
        return Redis.from_pool(pool)

    def _connection_options(self, retries: int) -> dict[str, Any]:
        """Return the options of each connection. A call reopens a lost connection at most `retries` times.

        The caller sets the time limits. By default, redis-py retries ten times, for seconds. Its own limit is
        an `asyncio.wait_for` around each command, which on Python 3.11 may swallow a cancellation.
        """
        return {
            **self.address.options,
            "retry": Retry(NoBackoff(), retries, (RedisConnectionError,)),
            "socket_timeout": None,
            "socket_connect_timeout": self.limits.silence_seconds,
            "protocol": 3,
            "legacy_responses": False,
            "maint_notifications_config": NO_MAINTENANCE,
            **({} if self.is_cluster else {"redis_connect_func": _connect_to_primary}),
        }


async def _connect_to_primary(connection: AbstractConnection) -> None:
    """Prepare a new connection. Raises ConnectionError if it leads to a replica, whose boards may be old.

    A call reopens a lost connection, and after a failover the name may lead to a replica for a while. A user
    without the permission for ROLE connects without this check.
    """
    await connection.on_connect()
    await connection.send_command("ROLE")
    with suppress(NoPermissionError):
        role, *_ = await connection.read_response()
        if role not in {b"master", "master"}:
            raise RedisConnectionError("this server is a replica")


async def follow_primary(client: Client) -> bool:
    """Disconnect from a server that the Sentinels no longer name as the primary. Return True if that was so.

    Such a server may accept writes for ten more seconds.
    """
    pool = client.connection_pool if isinstance(client, Redis) else None
    return await pool.follow() if isinstance(pool, _PrimaryPool) else False


class _Sentinels(Sentinel):
    """Sentinels, with a short time limit for each."""

    def __init__(self, silence_seconds: float, hosts: Sequence[tuple[str, int]], **options: Any) -> None:
        super().__init__(hosts, **options)  # type: ignore[no-untyped-call]
        self._silence_seconds = silence_seconds

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return the address of the primary. Raises MasterNotFoundError."""
        for sentinel in tuple(self.sentinels):
            with suppress(*FAILURES):
                # redis-py's own limit would be a `wait_for`: see RedisServers.
                async with asyncio.timeout(self._silence_seconds):
                    masters = await sentinel.sentinel_masters()
                found = masters.get(service_name) if isinstance(masters, dict) else None
                if found and self.check_master_state(found, service_name):
                    self.sentinels.remove(sentinel)
                    self.sentinels.insert(0, sentinel)
                    return found["ip"], found["port"]
        raise MasterNotFoundError(f"no Sentinel knows the primary of {service_name}")


class _PrimaryPool(SentinelConnectionPool):
    """A pool that disconnects from an old primary, and closes its connections to the Sentinels."""

    async def follow(self) -> bool:
        before = self.master_address
        # If no Sentinel answers, the primary may still work.
        with suppress(*FAILURES):
            if await self.get_master_address() != before:  # type: ignore[no-untyped-call]
                await self.disconnect()
                return True
        return False

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()
