"""Simulated pages that reconnect when their stream ends, as `scoreboard.js` does in a browser."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from time import perf_counter
from typing import cast

FIRST_BACK_OFF_SECONDS = 0.25
LONGEST_BACK_OFF_SECONDS = 3.0
STEADY_SECONDS = 2.0
"""The retry pauses of `scoreboard.js`, and the duration after which a stream resets the back-off."""

OPEN_SECONDS = 60.0
AT_ONCE = 100
"""The number of pages that connect together. More could overflow the listen backlog."""

LOOK_AGAIN_SECONDS = 0.02


class Browser:
    """A page: the version it shows, and the duration of each outage of its stream."""

    def __init__(self, host: str, port: int) -> None:
        self.version = -1
        self.outages_seconds: list[float] = []
        self.pauses_seconds: list[float] = []
        """The pauses in each outage: its duration on a machine that needs no time."""
        self.refusals = 0
        self.older_boards = 0
        self._host, self._port = host, port
        self._lost_at: float | None = None
        self._paused_seconds = 0.0

    @property
    def is_live(self) -> bool:
        return self.version >= 0 and self._lost_at is None

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            begun = perf_counter()
            retry_seconds = 0.0
            try:
                transport, stream = await loop.create_connection(
                    lambda: _Stream(self), self._host, self._port
                )
            except OSError:
                self.refusals += 1
            else:
                with closing(transport):
                    retry_seconds = await stream.ended
            now = perf_counter()
            # A failed attempt does not end the outage.
            self._lost_at = self._lost_at or now
            if now - begun > STEADY_SECONDS:
                failures = 0
            back_off = min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2**failures) * random.uniform(
                0.5, 1
            )
            failures += 1
            pause_seconds = max(retry_seconds, back_off)
            self._paused_seconds += pause_seconds
            await asyncio.sleep(pause_seconds)

    def show(self, version: int) -> None:
        if self._lost_at is not None:
            self.outages_seconds.append(perf_counter() - self._lost_at)
            self.pauses_seconds.append(self._paused_seconds)
            self._lost_at, self._paused_seconds = None, 0.0
        self.older_boards += version < self.version
        self.version = version

    def request(self) -> bytes:
        """Return a request with HTTP/1.0, so that the response is not chunked."""
        last = f"Last-Event-ID: {self.version}\r\n" if self.version >= 0 else ""
        return (
            f"GET /api/leaderboard/stream?delta=1 HTTP/1.0\r\nHost: {self._host}\r\n"
            f"Accept: text/event-stream\r\n{last}\r\n"
        ).encode()


class _Stream(asyncio.Protocol):
    """A connection of a page. `ended` holds the seconds that the server asks the client to wait."""

    def __init__(self, browser: Browser) -> None:
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._browser = browser
        self._retry_seconds = 0.0
        self._text = b""
        self._is_answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._browser.request())

    def data_received(self, data: bytes) -> None:
        text = self._text + data
        if not self._is_answered and b"\r\n" in text:
            self._is_answered = True
            self._browser.refusals += text.split(b" ", 2)[1] != b"200"
        # `retry:` applies at the end of its line, other fields at the end of the event.
        if (retry := _number(text, b"retry: ", text.rfind(b"\n") + 1)) is not None:
            self._retry_seconds = retry / 1_000
        end = text.rfind(b"\n\n")
        if end < 0:
            self._text = text
            return
        self._text = text[end + 2 :]
        # Of several events only the newest counts. The id of a patch or board is the version it leads to.
        if (version := _number(text, b"id: ", end)) is not None:
            self._browser.show(version)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(self._retry_seconds)


def _number(text: bytes, name: bytes, end: int) -> int | None:
    """Return the last field of a name before a position. The JSON of a board contains no such text."""
    mark = text.rfind(name, 0, end)
    return None if mark < 0 else int(text[mark + len(name) :].split(b"\n", 1)[0])


@asynccontextmanager
async def browsing(host: str, port: int, count: int) -> AsyncIterator[list[Browser]]:
    """Open `count` pages and wait until each shows a board. Raises TimeoutError."""
    browsers: list[Browser] = []
    async with asyncio.TaskGroup() as group:
        running: list[asyncio.Task[None]] = []
        try:
            while len(browsers) < count:
                more = [Browser(host, port) for _ in range(min(AT_ONCE, count - len(browsers)))]
                browsers += more
                running += [group.create_task(browser.run()) for browser in more]
                if missing := await late(more, lambda browser: browser.is_live, OPEN_SECONDS):
                    raise TimeoutError(f"{missing} of {len(browsers)} streams have received no board")
            yield browsers
        finally:
            for task in running:
                task.cancel()


async def late(browsers: Sequence[Browser], is_so: Callable[[Browser], bool], within_seconds: float) -> int:
    """Wait until the condition holds for each page. Return the number of pages for which it does not."""
    until = perf_counter() + within_seconds
    while (missing := sum(not is_so(browser) for browser in browsers)) and perf_counter() < until:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return missing
