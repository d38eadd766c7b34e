"""Detection of a PostgreSQL server that stops answering while statements wait. One prober per server."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from errno import EMFILE, ENFILE
from socket import gaierror
from ssl import SSLError
from typing import Any, Final, Self

import asyncpg

from scoreboard.resilience.background_loop import BackgroundLoop
from scoreboard.store.postgresql.errors import CONNECT_ERRORS

ASK_AGAIN_SECONDS: Final = 30.0
"""Interval between uses of the idle prober's connection, so that firewalls keep it open."""

CONNECT_SECONDS: Final = 10.0
"""Time limit for connecting. A slow connect is not counted as silence: only a missing answer is."""

APPLICATION_NAME: Final = "scoreboard prober"
"""The name of the prober's connection in `pg_stat_activity`."""


@dataclass(slots=True, eq=False)
class Watch:
    """A connection in use, and the function that closes it."""

    since: float
    cut_off: Callable[[], None]
    is_cut_off: bool = False


class Prober:
    """Closes the connections to a server that does not answer. All pools of that server share one prober.

    The prober keeps one connection. It queries the server while any other connection has been in use for a
    quarter of the silence limit. So only a missing answer counts as silence, and not a lock, a slow
    statement, a full server or a slow handshake.
    """

    def __init__(
        self,
        connect: Callable[[], Coroutine[Any, Any, asyncpg.Connection]],
        silence_seconds: Callable[[], float],
    ) -> None:
        """`connect` raises one of `CONNECT_ERRORS`."""
        self._open = connect
        self._silence_seconds = silence_seconds
        self._watches: dict[Watch, None] = {}
        self._connection: asyncpg.Connection | None = None
        self._connecting: asyncio.Task[asyncpg.Connection] | None = None
        self._asked_at = 0.0
        self._probing = BackgroundLoop("postgresql prober", self._tick)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._connect()
        self._asked_at = self._loop.time()
        self._probing.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._probing.stop()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        self._take_connection()
        if self._connection is not None:
            with suppress(*CONNECT_ERRORS):
                await self._connection.close(timeout=self._answer_seconds)

    @property
    def _slow_seconds(self) -> float:
        """Time in use after which the server is queried. With the answer's time limit: the silence limit."""
        return self._silence_seconds() / 4

    @property
    def _answer_seconds(self) -> float:
        return self._silence_seconds() - self._slow_seconds

    def watch(self, cut_off: Callable[[], None]) -> Watch:
        """Close the connection if its server becomes silent, until `unwatch`."""
        watch = Watch(self._loop.time(), cut_off)
        self._watches[watch] = None
        return watch

    def unwatch(self, watch: Watch) -> None:
        self._watches.pop(watch, None)

    def reconnect(self) -> None:
        """Use a new connection from now on, since the server's name may lead elsewhere."""
        self._take_connection()
        if self._connection is not None:
            self._connection.terminate()
        if self._connecting is not None:
            self._connecting.cancel()
        self._connecting = self._connection = None
        self._connect()

    async def _tick(self) -> float:
        now = self._loop.time()
        slow = [watch for watch in self._watches if watch.since <= now - self._slow_seconds]
        if (slow or now >= self._asked_at + ASK_AGAIN_SECONDS) and await self._is_silent():
            for watch in slow:
                self._cut_off(watch)
        return self._pause_seconds()

    def _pause_seconds(self) -> float:
        """Return the time until the oldest watch is slow, or between two queries if it already is."""
        oldest = next(iter(self._watches), None)
        age = 0.0 if oldest is None else self._loop.time() - oldest.since
        return self._slow_seconds - age if age < self._slow_seconds else self._slow_seconds

    def _cut_off(self, watch: Watch) -> None:
        if watch in self._watches:
            self.unwatch(watch)
            watch.is_cut_off = True
            watch.cut_off()

    async def _is_silent(self) -> bool:
        self._asked_at = self._loop.time()
        self._take_connection()
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed():
            return await self._is_out_of_reach()
        answer = await self.ask(connection)
        if connection.is_closed() or self._connecting is not None:
            connection.terminate()
            self._connect()
        else:
            self._connection = connection
        return isinstance(answer, TimeoutError) or (answer is not None and await self._is_out_of_reach())

    async def ask(self, connection: asyncpg.Connection) -> BaseException | None:
        """Query the server. Return None for an answer, TimeoutError for silence, or the error of the loss."""
        asked_at = self._loop.time()
        asking = asyncio.create_task(connection.execute("SELECT 1"))
        try:
            # A time-out of asyncpg would open another connection to cancel the statement.
            done, _ = await asyncio.wait({asking}, timeout=self._answer_seconds)
            if not done and self._loop.time() - asked_at > 2 * self._answer_seconds:
                # This process was suspended: the answer may have arrived.
                done, _ = await asyncio.wait({asking}, timeout=self._answer_seconds)
        finally:
            if not asking.done() or asking.exception() is not None:
                connection.terminate()
            await asyncio.wait({asking})
        return asking.exception() if done else TimeoutError()

    async def _is_out_of_reach(self) -> bool:
        """Return True if a new connection gets no answer. A server or certificate error is an answer.

        Failed name resolution, or too many open files in this process, do not count as silence.
        """
        connecting = self._connect()
        await asyncio.wait({connecting}, timeout=self._silence_seconds())
        if not connecting.done():
            return True
        error = None if connecting.cancelled() else connecting.exception()
        self._take_connection()
        if isinstance(error, gaierror | SSLError):
            return False
        return isinstance(error, OSError) and error.errno not in {EMFILE, ENFILE}

    def _connect(self) -> "asyncio.Task[asyncpg.Connection]":
        """Start to connect, unless a connect is in progress."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._open())
        return self._connecting

    def _take_connection(self) -> None:
        """Keep the new connection if the connect has finished."""
        if self._connecting is None or not self._connecting.done():
            return
        connecting, self._connecting = self._connecting, None
        if not connecting.cancelled() and connecting.exception() is None:
            self._connection = connecting.result()
