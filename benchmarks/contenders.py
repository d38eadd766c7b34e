"""Servers that send one event to many streams: the scoreboard, a loop in C, and two libraries for FastAPI."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count, cycle
from typing import Protocol

from benchmarks.client import Connection, connect
from benchmarks.crowd import Post
from benchmarks.machine import pinned
from benchmarks.measuring import posts
from benchmarks.native import running_native, running_program
from benchmarks.target import COMMAND, Target
from tests.servers.process import free_port

HOST = "127.0.0.1"
STREAM = "/api/leaderboard/stream"
START_SECONDS = 20.0
BUSY_USERS = 10
"""Few enough that each score changes the top ten, so that each must reach every stream."""


class Publish(Protocol):
    async def __call__(self) -> Post:
        """Request a new event. Return its version and the time of the request."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server."""

    port: int
    path: str
    pid: int
    publish: Publish


Contest = Callable[[int], AbstractAsyncContextManager[Contender]]
"""Starts a server whose events have the given number of bytes."""


@asynccontextmanager
async def scoreboard(_event_bytes: int = 0, path: str = STREAM) -> AsyncIterator[Contender]:
    """Run `scoreboard serve` with its defaults. The size of its events cannot be chosen."""
    with Target(command=pinned(0, *COMMAND)) as target:
        requests = cycle(posts(target, BUSY_USERS))
        (connection,) = await connect(target.host, target.port, 1)

        async def publish() -> Post:
            at_ns = time.monotonic_ns()
            receipt = json.loads(await _answer(connection, next(requests)))
            return Post(receipt["version"], at_ns)

        for _ in range(2 * BUSY_USERS):
            await publish()
        try:
            yield Contender(target.port, path, target.pid, publish)
        finally:
            connection.transport.close()


async def _answer(connection: Connection, request: bytes) -> bytes:
    body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    connection.send(request, lambda _status, answer, _at: body.set_result(answer))
    return await body


@asynccontextmanager
async def floor(event_bytes: int) -> AsyncIterator[Contender]:
    """Run `native/floor.c`, a loop over send(2)."""
    port, versions = free_port(), count(1)
    async with running_native(0, "floor", str(port), str(event_bytes)) as process:
        assert process.stdout is not None
        await process.stdout.readline()

        async def publish() -> Post:
            post = Post(next(versions), time.monotonic_ns())
            assert process.stdin is not None
            process.stdin.write(b"%d\n" % post.version)
            return post

        yield Contender(port, "/", process.pid, publish)


@asynccontextmanager
async def rival(name: str, event_bytes: int) -> AsyncIterator[Contender]:
    """Run an application of `rivals.py` under uvicorn, with uvloop and httptools like the scoreboard."""
    port, versions = free_port(), count(1)
    command = (sys.executable, "-m", "benchmarks.rivals", name, str(port), str(event_bytes))
    async with running_program(0, *command) as process:
        connection = await _connected(port)

        async def publish() -> Post:
            post = Post(next(versions), time.monotonic_ns())
            head = f"POST /publish/{post.version} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"
            await _answer(connection, head.encode())
            return post

        yield Contender(port, "/stream", process.pid, publish)
        connection.transport.close()


async def _connected(port: int) -> Connection:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return (await connect(HOST, port, 1))[0]
            except OSError:
                await asyncio.sleep(0.05)
