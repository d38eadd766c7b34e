"""A cheap HTTP client: what it costs itself would otherwise be read as the server's figure.

Requests are bytes made beforehand; of an answer it looks at the status and the length, and hands on the body.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast


@dataclass(slots=True)
class Answers:
    """What came back: how long each request took (seconds), counted by status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def count(self, *statuses: int) -> int:
        return sum(self.statuses.get(status, 0) for status in statuses)


OnAnswer = Callable[[int, bytes, float], None]


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._on_answer: OnAnswer = lambda *_: None
        self._sent_at = 0.0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    def send(self, request: bytes, on_answer: OnAnswer) -> None:
        self._on_answer = on_answer
        self._sent_at = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = data if not self._buffer else self._buffer + data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        status = int(self._buffer[9:12])
        mark = self._buffer.find(b"content-length: ", 0, head_end)
        length = 0 if mark < 0 else int(self._buffer[mark + 16 : self._buffer.index(b"\r", mark)])
        body = self._buffer[head_end + 4 :]
        if len(body) >= length:
            self._buffer = b""
            self._on_answer(status, body, self._sent_at)


class Stream(asyncio.Protocol):
    """One open stream: the version and the time of arrival of each event."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self.arrivals: list[tuple[int, float]] = []
        self.is_open = True
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        text = self._tail + data
        # An event counts once its end has arrived: "id: N … data: …\n\n".
        start = 0
        while (end := text.find(b"}\n\n", start)) >= 0:
            mark = text.find(b"id: ", start)
            self.arrivals.append((int(text[mark + 4 : text.index(b"\n", mark)]), now))
            start = end + 3
        if self.arrivals and not self.first.done():
            self.first.set_result(None)
        self._tail = text[start:]


async def connect(host: str, port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]


async def as_fast_as_possible(
    connections: list[Connection], requests: Iterator[bytes], seconds: float, on_tick: Callable[[float], None]
) -> tuple[Answers, float]:
    """Each connection sends its next request when it has its answer; what came back, and in how many seconds."""
    answers = Answers()
    started = perf_counter()
    until = started + seconds
    finished = asyncio.get_running_loop().create_future()
    open_requests = len(connections)

    def next_on(connection: Connection) -> OnAnswer:
        def on_answer(status: int, _body: bytes, sent_at: float) -> None:
            nonlocal open_requests
            now = perf_counter()
            answers.seconds.append(now - sent_at)
            answers.statuses[status] = answers.statuses.get(status, 0) + 1
            if now < until:
                connection.send(next(requests), on_answer)
            else:
                open_requests -= 1
                if not open_requests:
                    finished.set_result(now)

        return on_answer

    for connection in connections:
        connection.send(next(requests), next_on(connection))
    await _ticking(finished, started, seconds, on_tick)
    return answers, finished.result() - started


@dataclass(slots=True)
class Sent:
    """A request that was sent at a planned time, and its answer."""

    status: int
    body: bytes
    planned_at: float
    seconds: float


async def at_rate(
    connections: list[Connection],
    requests: Iterator[bytes],
    rate: float,
    seconds: float,
    on_tick: Callable[[float], None],
    enough: Callable[[], bool] = lambda: False,
) -> list[Sent]:
    """Send at a fixed rate, whatever the answers do: a request that had to wait for a connection has waited.

    It ends once there is enough, or after so many seconds.
    """
    loop = asyncio.get_running_loop()
    free = asyncio.Queue[Connection]()
    for connection in connections:
        free.put_nowait(connection)
    sent: list[Sent] = []
    started = perf_counter()
    open_requests = 0
    all_sent = False
    finished = loop.create_future()

    async def send_all() -> None:
        nonlocal open_requests, all_sent
        for number in range(round(rate * seconds)):
            planned_at = started + number / rate
            await asyncio.sleep(max(0.0, planned_at - perf_counter()))
            if enough():
                break
            connection = await free.get()
            open_requests += 1
            connection.send(next(requests), _recorder(connection, planned_at))
        all_sent = True
        finish_if_answered()

    def finish_if_answered() -> None:
        if all_sent and not open_requests and not finished.done():
            finished.set_result(None)

    def _recorder(connection: Connection, planned_at: float) -> OnAnswer:
        def on_answer(status: int, body: bytes, _sent_at: float) -> None:
            nonlocal open_requests
            sent.append(Sent(status, body, planned_at, perf_counter() - planned_at))
            free.put_nowait(connection)
            open_requests -= 1
            finish_if_answered()

        return on_answer

    sending = asyncio.create_task(send_all())
    try:
        await _ticking(finished, started, seconds, on_tick)
    finally:
        sending.cancel()
    return sent


async def _ticking(
    finished: asyncio.Future[object], started: float, seconds: float, on_tick: Callable[[float], None]
) -> None:
    """Wait for the end, and tell how far it is; a server that stops answering does not keep us for ever."""
    while not finished.done():
        await asyncio.wait((finished,), timeout=0.2)
        elapsed = perf_counter() - started
        on_tick(min(1.0, elapsed / seconds))
        if elapsed > seconds + 30:
            raise TimeoutError("the server has stopped answering")
