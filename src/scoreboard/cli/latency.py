"""How long a score takes until every open stream of a running scoreboard has it, as its clients see it."""

import asyncio
import json
import ssl
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

from scoreboard.cli.server_url import server_url
from scoreboard.domain.errors import StartError

OPENING: Final = 50
"""Streams that are opened at the same time."""

POSTERS: Final = 16
"""Connections that send scores."""

ANSWER_SECONDS: Final = 10.0
NO_ANSWER: Final = (OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError)
"""What is raised where a connection ends or is silent, and where what comes is no HTTP, or not a scoreboard's."""

SETTLE_SECONDS: Final = 1.0
"""How long the last events have to arrive."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. Each of the tokens is a user's, in turn; `rate` is scores a second."""

    url: str
    board: str | None
    action: str
    streams: int
    rate: float
    seconds: float
    users: Sequence[tuple[str, str]]


@dataclass(slots=True)
class Findings:
    """What came of it; times are seconds, from the moment when a score was due: what it had to wait is a part of it."""

    posts: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    each: list[float] = field(default_factory=list)
    """Until each stream had a score."""
    last: list[float] = field(default_factory=list)
    """Until the last one had it."""
    opened: int = 0
    lost: int = 0
    events: int = 0
    conflated: int = 0
    """Boards that a stream did not get, since a newer one was there already."""
    missed: int = 0
    """Boards that a stream never got, nor a newer one."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that this many percent of all do not exceed. There must be one."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


async def bench(plan: Plan, on_tick: Callable[[int, int], None]) -> Findings:
    """Open the streams, send the scores, and see when each stream has them. Raises StartError.

    `on_tick` hears how many scores were sent, and of how many.
    """
    server = _Server(plan)
    findings = Findings()
    streams = [_Stream(server) for _ in range(plan.streams)]
    try:
        for first in range(0, len(streams), OPENING):
            await _open(streams[first : first + OPENING])
        findings.opened = len(streams)
        scores = await _score(plan, server, findings, on_tick)
        await asyncio.sleep(SETTLE_SECONDS)
    finally:
        for stream in streams:
            await stream.close()
    _compare(streams, scores, findings)
    return findings


async def _open(streams: Sequence["_Stream"]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for stream in streams:
                group.create_task(stream.open())
    except ExceptionGroup as failed:
        # What is wrong with one is wrong with all.
        raise failed.exceptions[0] from failed


def _compare(streams: Sequence["_Stream"], scores: Sequence[tuple[int, float]], findings: Findings) -> None:
    versions = [[version for version, _ in stream.arrivals] for stream in streams]
    findings.lost = sum(stream.is_lost for stream in streams)
    findings.events = sum(len(known) for known in versions)
    for version, due_at in scores:
        taken = []
        for stream, known in zip(streams, versions, strict=True):
            place = bisect_left(known, version)
            if place == len(known):
                findings.missed += 1
                continue
            findings.conflated += known[place] != version
            taken.append(stream.arrivals[place][1] - due_at)
        if taken:
            findings.each += taken
            findings.last.append(max(taken))


async def _score(
    plan: Plan, server: "_Server", findings: Findings, on_tick: Callable[[int, int], None]
) -> list[tuple[int, float]]:
    """Each score's version, and when it was due."""
    scores: list[tuple[int, float]] = []
    free: asyncio.Queue[_Poster] = asyncio.Queue()
    for _ in range(POSTERS):
        free.put_nowait(_Poster(server))
    total = max(1, round(plan.rate * plan.seconds))

    async def one(user: tuple[str, str], due_at: float) -> None:
        poster = await free.get()
        try:
            status, body = await poster.post(plan.action, *user)
            if status == 201:
                scores.append((json.loads(body)["version"], due_at))
        except NO_ANSWER:
            status = 0
            await poster.close()
        findings.posts.append(time.perf_counter() - due_at)
        findings.statuses[status] += 1
        free.put_nowait(poster)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(total):
            due_at = begun + number / plan.rate
            await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
            group.create_task(one(plan.users[number % len(plan.users)], due_at))
            on_tick(number + 1, total)
    while not free.empty():
        await free.get_nowait().close()
    return sorted(scores)


class _Server:
    """Where it is, and how a connection to it is opened."""

    def __init__(self, plan: Plan) -> None:
        self.url = server_url(plan.url)
        self.tls = ssl.create_default_context() if self.url.is_tls else None
        query = f"?{urlencode({'board': plan.board})}" if plan.board is not None else ""
        self.reader = f"Bearer {plan.users[0][1]}"
        self.scores = f"{self.url.path}/api/scores"
        self.stream = f"{self.url.path}/api/leaderboard/stream{query}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.open_connection(self.url.host, self.url.port, ssl=self.tls)

    def head(self, method: str, path: str, **headers: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.url.authority}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


class _Stream:
    """One open stream, and when which version arrived."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.arrivals: list[tuple[int, float]] = []
        self.is_lost = False

    async def open(self) -> None:
        """Return once the first board is there. Raises StartError."""
        server = self._server
        try:
            reader, self._writer = await server.connect()
            self._writer.write(
                server.head("GET", server.stream, Accept="text/event-stream", Authorization=server.reader)
            )
            async with asyncio.timeout(ANSWER_SECONDS):
                status = int((await reader.readline()).split()[1])
                if status != 200:
                    raise StartError(f"The stream {server.stream} answers {status}.")
                await self._next(reader)
        except NO_ANSWER as error:
            reason = str(error) or type(error).__name__
            raise StartError(f"A stream of {server.url.authority} cannot be opened ({reason}).") from error
        self.arrivals.clear()
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                await self._next(reader)
        except NO_ANSWER:
            self.is_lost = True

    async def _next(self, reader: asyncio.StreamReader) -> None:
        """A chunk's own lines begin with other characters."""
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


class _Poster:
    """One connection that sends scores, as long as the server keeps it."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, action: str, user: str, token: str) -> tuple[int, bytes]:
        if self._connection is None or self._connection[0].at_eof():
            await self.close()
            self._connection = await self._server.connect()
        reader, writer = self._connection
        body = json.dumps({"actionId": action, "userId": user}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
        head = self._server.head("POST", self._server.scores, **headers, Content_Length=str(len(body)))
        writer.write(head + body)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _answer(reader)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            with suppress(OSError):
                await self._connection[1].wait_closed()
            self._connection = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(status_line.split()[1]), body
