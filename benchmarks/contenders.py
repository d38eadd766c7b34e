"""Those who write one event to many streams: the scoreboard, the floor in C, and what others build it on."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Protocol

from benchmarks.client import Connection, connect
from benchmarks.crowd import Post
from benchmarks.machine import pinned
from benchmarks.measuring import posts
from benchmarks.native import compiled
from benchmarks.target import SERVE, Target, free_port

HOST = "127.0.0.1"
START_SECONDS = 20.0
BUSY_USERS = 10
"""So few that each score changes the top ten: each has to reach every stream."""


class Publish(Protocol):
    async def __call__(self) -> Post:
        """Have a new event sent to all; when it was asked for."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One that runs."""

    port: int
    path: str
    pid: int
    publish: Publish


Contest = Callable[[int], AbstractAsyncContextManager[Contender]]
"""Of events of so many bytes."""


@asynccontextmanager
async def scoreboard(
    _event_bytes: int = 0, path: str = "/api/leaderboard/stream"
) -> AsyncIterator[Contender]:
    """`scoreboard serve`, with everything that is on by default; its events are as long as they are."""
    with Target(command=pinned(0, *SERVE)) as target:
        requests = cycle(posts(target, BUSY_USERS))
        (connection,) = await connect(target.host, target.port, 1)

        async def publish() -> Post:
            at_ns = time.monotonic_ns()
            receipt = json.loads(await _answer(connection, next(requests)))
            return Post(receipt["version"], at_ns)

        for _ in range(2 * BUSY_USERS):
            await publish()
        try:
            yield Contender(target.port, path, target.process.pid, publish)
        finally:
            connection.transport.close()


async def _answer(connection: Connection, request: bytes) -> bytes:
    body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    connection.send(request, lambda _status, answer, _at: body.set_result(answer))
    return await body


@asynccontextmanager
async def floor(event_bytes: int) -> AsyncIterator[Contender]:
    """`native/floor.c`: a bare loop of send(2)."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scoreboard-load-")))
        program, port = compiled("floor", folder), free_port()
        process = await asyncio.create_subprocess_exec(
            *pinned(0, str(program), str(port), str(event_bytes)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        stack.push_async_callback(_end, process)
        assert process.stdin is not None
        assert process.stdout is not None
        await process.stdout.readline()
        version = 0

        async def publish() -> Post:
            nonlocal version
            version += 1
            at_ns = time.monotonic_ns()
            assert process.stdin is not None
            process.stdin.write(b"%d\n" % version)
            return Post(version, at_ns)

        yield Contender(port, "/", process.pid, publish)


@asynccontextmanager
async def rival(name: str, event_bytes: int) -> AsyncIterator[Contender]:
    """An application of `rivals` under uvicorn, with uvloop and httptools as the scoreboard has them."""
    port = free_port()
    command = pinned(0, sys.executable, "-m", "benchmarks.rivals", name, str(port), str(event_bytes))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_end, process)
        connection = await _connected(port)
        stack.callback(connection.transport.close)
        version = 0

        async def publish() -> Post:
            nonlocal version
            version += 1
            at_ns = time.monotonic_ns()
            request = f"POST /publish/{version} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"
            await _answer(connection, request.encode())
            return Post(version, at_ns)

        yield Contender(port, "/stream", process.pid, publish)


async def _connected(port: int) -> Connection:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return (await connect(HOST, port, 1))[0]
            except OSError:
                await asyncio.sleep(0.05)


async def _end(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()
