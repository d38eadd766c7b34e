"""Calls to Redis with time limits, a limited number of connections, and a circuit breaker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Any, Final, Self

from scoreboard.domain.errors import RankingUnavailable
from scoreboard.ranking.redis.connection import FAILURES, RedisLimits, check, disconnect
from scoreboard.ranking.redis.keys import BoardKeys, names_probe
from scoreboard.ranking.redis.servers import RedisServers
from scoreboard.resilience.circuit_breaker import CircuitBreaker

SCRIPTS: Final = ("apply", "read", "states", "drop", "keep_names", "names", "drop_names")

WAIT_FOR_CONNECTION_SECONDS: Final = 0.25
"""Time limit of the wait for a free connection. A longer wait means that this process is overloaded."""

PROBE_SECONDS: Final = 0.25
"""Interval of the probes of an unreachable server."""

PROBE_TTL_MS: Final = 10_000
"""Lifetime of the key that a probe writes. It writes because a replica or a full server only reads."""


class RedisCalls:
    """Runs the scripts in `lua/`. An async context manager. All methods raise RankingUnavailable."""

    def __init__(
        self, servers: RedisServers, prefix: str, process: str, on_reconnect: Callable[[], None]
    ) -> None:
        """`process` is this process's id. `on_reconnect` is called when an unreachable server is back."""
        self._servers = servers
        self._prefix = prefix
        self._process = process
        self._on_reconnect = on_reconnect
        # The cluster's client raises an error if all connections are in use, instead of waiting.
        self._connections = asyncio.Semaphore(self._limits.connections)
        self.in_use = 0
        self._breakers: dict[str, CircuitBreaker] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises StartError if the server refuses the connection or is too old."""
        self.client = self._servers.client()
        self._stack.push_async_callback(self.client.aclose)
        self._scripts = {name: self.client.register_script(_source(name)) for name in SCRIPTS}
        try:
            await check(self.client, self._limits.silence_seconds)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    @property
    def _limits(self) -> RedisLimits:
        return self._servers.limits

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> Any:
        """Run a script. To be called in a block of `guard`."""
        return await self._scripts[script](keys=keys, args=arguments)

    @asynccontextmanager
    async def guard(self, board: str) -> AsyncIterator[None]:
        """Limit the time of a block that makes calls for a board. Its errors open the circuit breaker.

        The wait for a free connection has a separate limit, and does not count as a failure of the server.
        """
        breaker = self._breaker(board)
        if breaker.is_open:
            raise RankingUnavailable
        await self._take_connection()
        try:
            if breaker.is_open:
                raise RankingUnavailable
            async with asyncio.timeout(self._limits.silence_seconds):
                yield
        except FAILURES as error:
            breaker.open(str(error) or type(error).__name__)
            raise RankingUnavailable from error
        finally:
            self.in_use -= 1
            self._connections.release()

    async def _take_connection(self) -> None:
        try:
            async with asyncio.timeout(WAIT_FOR_CONNECTION_SECONDS):
                await self._connections.acquire()
        except TimeoutError:
            raise RankingUnavailable from None
        self.in_use += 1

    def _breaker(self, board: str) -> CircuitBreaker:
        """Return the breaker of all boards, or that of one board in a cluster, which may fail in part."""
        name = board if self._servers.is_cluster else ""
        if name not in self._breakers:
            self._breakers[name] = breaker = CircuitBreaker(
                "Redis",
                retry_seconds=PROBE_SECONDS,
                probe=partial(self._probe, board),
                on_close=self._on_reconnect,
            )
            self._stack.push_async_callback(breaker.stop)
        return self._breakers[name]

    async def _probe(self, board: str) -> bool:
        """Return True if the server accepts writes."""
        board_probe = BoardKeys(self._prefix, board).probe(self._process)
        try:
            async with asyncio.timeout(self._limits.silence_seconds):
                await disconnect(self.client)
                for key in (board_probe, names_probe(self._prefix, self._process)):
                    await self.client.set(key, "", px=PROBE_TTL_MS)
        except FAILURES:
            return False
        return True


def _source(script: str) -> str:
    folder = files("scoreboard.ranking.redis") / "lua"
    return (folder / "layout.lua").read_text() + (folder / f"{script}.lua").read_text()
