"""A cheap HTTP/1.1 client, because the client's own cost would count as the server's.

Requests are bytes built in advance. Of a response, the client parses only the status and the length.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import cast

from benchmarks.options import OnTick, ignore_tick

PATIENCE_SECONDS = 30.0

OnAnswer = Callable[[int, bytes, float], None]
"""Receives the status, the body, and the time when the request was sent."""


class Connection(asyncio.Protocol):
    """A keep-alive connection with at most one request in flight."""

    def __init__(self) -> None:
        self._buffer = b""
        self._on_answer: OnAnswer = lambda *_: None
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

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


@dataclass(slots=True)
class Sent:
    """A request and its response. `seconds` counts from the planned time, not from the send."""

    status: int
    body: bytes
    planned_at: float
    seconds: float


async def connect(host: str, port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]


async def as_fast_as_possible(
    connections: list[Connection], requests: Iterator[bytes], seconds: float, on_tick: OnTick = ignore_tick
) -> tuple[list[tuple[int, float]], float]:
    """Send a request on each connection as soon as the previous one is answered.

    Return the status and seconds of each response, and the seconds that passed until the last one.
    """
    answers: list[tuple[int, float]] = []
    started = perf_counter()
    finished = asyncio.get_running_loop().create_future()
    open_requests = len(connections)

    def next_on(connection: Connection) -> OnAnswer:
        def on_answer(status: int, _body: bytes, sent_at: float) -> None:
            nonlocal open_requests
            now = perf_counter()
            answers.append((status, now - sent_at))
            if now < started + seconds:
                connection.send(next(requests), on_answer)
                return
            open_requests -= 1
            if not open_requests:
                finished.set_result(now)

        return on_answer

    for connection in connections:
        connection.send(next(requests), next_on(connection))
    await _tick_until(finished, started, seconds, on_tick)
    return answers, finished.result() - started


async def at_rate(
    connections: list[Connection],
    requests: Iterator[bytes],
    rate: float,
    seconds: float,
    on_tick: OnTick = ignore_tick,
    enough: Callable[[], bool] = lambda: False,
) -> list[Sent]:
    """Send requests at a fixed rate, whatever the responses do, until `enough` or the time is over.

    A request that waits for a free connection counts as waiting.
    """
    free = asyncio.Queue[Connection]()
    for connection in connections:
        free.put_nowait(connection)
    sent: list[Sent] = []
    started = perf_counter()

    def send(connection: Connection, planned_at: float) -> None:
        def on_answer(status: int, body: bytes, _sent_at: float) -> None:
            sent.append(Sent(status, body, planned_at, perf_counter() - planned_at))
            free.put_nowait(connection)

        connection.send(next(requests), on_answer)

    async def send_all() -> None:
        for number in range(round(rate * seconds)):
            planned_at = started + number / rate
            await asyncio.sleep(max(0.0, planned_at - perf_counter()))
            if enough():
                break
            send(await free.get(), planned_at)
        for _ in connections:  # all are free once every request is answered
            await free.get()

    sending = asyncio.create_task(send_all())
    try:
        await _tick_until(sending, started, seconds, on_tick)
    finally:
        sending.cancel()
    return sent


async def _tick_until(
    finished: asyncio.Future[None], started: float, seconds: float, on_tick: OnTick
) -> None:
    """Report progress until the future is done. Raises TimeoutError if the server stops responding."""
    while not finished.done():
        await asyncio.wait((finished,), timeout=0.2)
        elapsed = perf_counter() - started
        on_tick(min(1.0, elapsed / seconds))
        if elapsed > seconds + PATIENCE_SECONDS:
            raise TimeoutError("the server has stopped responding")
    await finished
