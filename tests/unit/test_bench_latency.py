"""`scoreboard bench` against servers that are slow or not a scoreboard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from scoreboard.cli.bench import latency
from scoreboard.cli.bench.latency import Plan, Result, measure
from scoreboard.domain.errors import StartError
from tests.limits import LIMIT_SECONDS

STREAM = b"HTTP/1.1 200 OK\r\n\r\nid: 0\n\n"
Answering = Callable[[bytes], Awaitable[bytes]]


class Server:
    """A server with responses of the test, which knows its open connections."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.url = ""
        self._connections: list[asyncio.Task[None]] = []

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await self._answer_all(reader, writer)
        writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            size = 0
            while (header := await reader.readline()).strip():
                if header.startswith(b"Content-Length:"):
                    size = int(header.split()[1])
            await reader.readexactly(size)
            writer.write(await self._answering(line))

    async def all_have_left(self) -> int:
        """Wait until all connections are closed, and return their number."""
        async with asyncio.timeout(LIMIT_SECONDS):
            await asyncio.gather(*self._connections)
        return len(self._connections)


@asynccontextmanager
async def serving(answering: Answering) -> AsyncIterator[Server]:
    serving = Server(answering)
    async with await asyncio.start_server(serving.take, "127.0.0.1", 0) as server:
        serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield serving


async def measured(
    server: Server,
    *,
    scores: int,
    rate: float,
    on_score: Callable[[int, int], None] = lambda _sent, _of: None,
) -> Result:
    plan = Plan(
        server.url, None, "quest", streams=3, rate=rate, seconds=scores / rate, users=[("ada", "a token")]
    )
    return await measure(plan, on_score)


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "SETTLE_SECONDS", 0.0)


async def test_the_time_of_a_score_includes_its_wait_for_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a server that stalls would look fast."""
    monkeypatch.setattr(latency, "PARALLEL_POSTS", 1)
    all_due = asyncio.Event()

    async def answering(line: bytes) -> bytes:
        if line.startswith(b"GET"):
            return STREAM
        await all_due.wait()
        return b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"

    def on_score(sent: int, of: int) -> None:
        if sent == of:
            all_due.set()

    async with serving(answering) as server:
        findings = await measured(server, scores=3, rate=10, on_score=on_score)
        assert [seconds >= least for seconds, least in zip(findings.posts, (0.2, 0.1, 0.0), strict=True)] == [
            True
        ] * 3
        await server.all_have_left()


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example\r\n\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nServer: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nOK",
    ],
    ids=[
        "not HTTP",
        "an invalid status",
        "no status",
        "an invalid length",
        "too long headers",
        "no version",
        "not JSON",
    ],
)
async def test_an_invalid_response_counts_as_no_response(answer: bytes) -> None:
    async def answering(line: bytes) -> bytes:
        return STREAM if line.startswith(b"GET") else answer

    async with serving(answering) as server:
        findings = await measured(server, scores=5, rate=1_000)
        await server.all_have_left()
    assert findings.statuses == {0: 5}


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"HTTP/1.1 fine\r\n\r\n"])
async def test_all_connections_are_closed_if_a_stream_cannot_be_opened(answer: bytes) -> None:
    async def answering(_line: bytes) -> bytes:
        return answer

    async with serving(answering) as server:
        with pytest.raises(StartError, match=r"^(The|A) stream "):
            await measured(server, scores=1, rate=1)
        assert await server.all_have_left() > 0
