"""Arrival times of the events of a stream.

httpx2 spends more time on an event than the server: with 400 streams, most of the result would be the
client's own time. This reader therefore takes only the `id` from each event.
"""

import asyncio
import ssl
import time
from typing import Final
from urllib.parse import urlencode

from scoreboard.cli.server_url import ServerUrl
from scoreboard.domain.errors import StartError

ANSWER_SECONDS: Final = 10.0

_INVALID: Final = (OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError)
"""Errors of a connection that ends or is silent, and of a response that is not HTTP or not a stream."""


class EventTimes:
    """A stream, and the version and arrival time of each of its events."""

    def __init__(self, server: ServerUrl, board: str | None, token: str) -> None:
        query = "" if board is None else f"?{urlencode({'board': board})}"
        self._server = server
        self._path = f"{server.path}/api/leaderboard/stream{query}"
        self._token = token
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.arrivals: list[tuple[int, float]] = []
        self.is_lost = False

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Connect, and return after the first event. Raises StartError."""
        lines = (
            f"GET {self._path} HTTP/1.1",
            f"Host: {self._server.authority}",
            "Accept: text/event-stream",
            f"Authorization: Bearer {self._token}",
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, self._writer = await asyncio.open_connection(
                    self._server.host, self._server.port, ssl=tls
                )
                self._writer.write("\r\n".join([*lines, "", ""]).encode())
                status = int((await reader.readline()).split()[1])
                if status != 200:
                    raise StartError(f"The stream {self._path} answers {status}.")
                await self._next(reader)
        except _INVALID as error:
            reason = str(error) or type(error).__name__
            raise StartError(f"A stream of {self._server.authority} cannot be opened ({reason}).") from error
        self.arrivals.clear()
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                await self._next(reader)
        except _INVALID:
            self.is_lost = True

    async def _next(self, reader: asyncio.StreamReader) -> None:
        # Lines of headers and of chunk sizes do not begin with these characters.
        while not (line := await reader.readline()).startswith(b"id: "):
            if not line:
                raise EOFError
        self.arrivals.append((int(line[4:]), time.perf_counter()))

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
        if self._writer is not None:
            self._writer.close()
