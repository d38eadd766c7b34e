"""Finding out that a PostgreSQL server has fallen silent while statements wait for it: one prober a server."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from errno import EMFILE, ENFILE
from socket import gaierror
from ssl import SSLError
from typing import Any, Final, Self

import asyncpg

from scoreboard.background import keep_running
from scoreboard.store.postgresql_errors import ERRORS

ASK_AGAIN_SECONDS: Final = 30.0
"""How often the prober's connection is used while no statement is slow, so that no firewall forgets it."""

CONNECT_SECONDS: Final = 10.0
"""How long a connection of the prober's may take. Only an answer on it counts, not how long it took to make it."""

APPLICATION_NAME: Final = "scoreboard prober"
"""The name of its connection in `pg_stat_activity`."""


@dataclass(slots=True, eq=False)
class Watch:
    """A connection in use, and how to cut it off."""

    since: float
    cut_off: Callable[[], None]
    is_cut_off: bool = False


class Prober:
    """Cuts off the connections to a server that does not answer. All pools of that server share it.

    It keeps one connection of its own, on which it asks while any other has been in use for a quarter of the silence.
    So a lock, a slow statement, a full server or a slow handshake never counts as silence: only a missing answer does.
    """

    def __init__(
        self, connect: Callable[[], Coroutine[Any, Any, asyncpg.Connection]], silence_seconds: Callable[[], float]
    ) -> None:
        """`connect` raises one of `ERRORS`."""
        self._connect_anew = connect
        self._silence_seconds = silence_seconds
        self._watches: dict[Watch, None] = {}
        self._connection: asyncpg.Connection | None = None
        self._connecting: asyncio.Task[asyncpg.Connection] | None = None
        self._asked_at = 0.0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._running = asyncio.create_task(keep_running("postgresql prober", self._run))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._running.cancel()
        await asyncio.wait({self._running})
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        self._take_connection()
        if self._connection is not None:
            with suppress(*ERRORS):
                await self._connection.close(timeout=self._answer_seconds)

    @property
    def _slow_seconds(self) -> float:
        """How long a connection is in use before the server is asked. Together with the answer it makes a silence."""
        return self._silence_seconds() / 4

    @property
    def _answer_seconds(self) -> float:
        return self._silence_seconds() - self._slow_seconds

    def watch(self, cut_off: Callable[[], None]) -> Watch:
        """Cut a connection off should its server fall silent from now on, until `unwatch`."""
        watch = Watch(self._loop.time(), cut_off)
        self._watches[watch] = None
        return watch

    def unwatch(self, watch: Watch) -> None:
        self._watches.pop(watch, None)

    def reconnect(self) -> None:
        """Ask on a new connection from now on, since the server's name may lead elsewhere."""
        self._take_connection()
        if self._connection is not None:
            self._connection.terminate()
        if self._connecting is not None:
            self._connecting.cancel()
        self._connecting = self._connection = None
        self._connect()

    async def _run(self) -> None:
        self._connect()
        self._asked_at = self._loop.time()
        while True:
            await asyncio.sleep(self._pause_seconds())
            now = self._loop.time()
            slow = [watch for watch in self._watches if watch.since <= now - self._slow_seconds]
            if (slow or now >= self._asked_at + ASK_AGAIN_SECONDS) and await self._is_silent():
                for watch in slow:
                    self._cut_off(watch)

    def _pause_seconds(self) -> float:
        """Until the oldest watch is slow, where it is not yet; between two questions otherwise."""
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
        answer = await self._ask(connection)
        if connection.is_closed() or self._connecting is not None:
            connection.terminate()
            self._connect()
        else:
            self._connection = connection
        return isinstance(answer, TimeoutError) or (answer is not None and await self._is_out_of_reach())

    async def _ask(self, connection: asyncpg.Connection) -> BaseException | None:
        """None for an answer, TimeoutError for none; any other error ends the connection, too."""
        asking = asyncio.create_task(connection.execute("SELECT 1"))
        try:
            # A time-out of asyncpg's own would open one more connection, to cancel the statement.
            done, _ = await asyncio.wait({asking}, timeout=self._answer_seconds)
            if not done and self._loop.time() - self._asked_at > 2 * self._answer_seconds:
                # It was this process that stood still: the answer may be there.
                done, _ = await asyncio.wait({asking}, timeout=self._answer_seconds)
        finally:
            if not asking.done() or asking.exception() is not None:
                connection.terminate()
            await asyncio.wait({asking})
        return asking.exception() if done else TimeoutError()

    async def _is_out_of_reach(self) -> bool:
        """Whether a new connection gets no answer. An error of the server is an answer, also one of its certificate.

        A name that cannot be resolved, or too many open files of this process, say nothing about the server.
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
        """Begin to connect, unless a connection is being made already."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect_anew())
        return self._connecting

    def _take_connection(self) -> None:
        """Keep the connection that was being made, where it is there."""
        if self._connecting is None or not self._connecting.done():
            return
        connecting, self._connecting = self._connecting, None
        if not connecting.cancelled() and connecting.exception() is None:
            self._connection = connecting.result()
