"""Thousands of open streams, read by `native/reader.c` in a process of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.native import running_native

AWAIT_MS = 20_000
"""An event that a stream has not received after this time counts as missed."""


@dataclass(frozen=True, slots=True)
class Post:
    """A version and the time of its POST, in nanoseconds of the monotonic clock."""

    version: int
    at_ns: int


class Crowd:
    """Open streams. Each method sends a command to the reader and returns its response."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def open(self, count: int) -> dict[str, Any]:
        """Open streams until `count` of them have received a first event."""
        return await self._ask(f"open {count}")

    async def reopen(self) -> dict[str, Any]:
        """Close all streams and open them again at once."""
        return await self._ask("reopen")

    async def clear(self) -> None:
        await self._ask("clear")

    async def has(self, version: int) -> dict[str, Any]:
        """Wait until every stream has received a version, or a later one."""
        return await self._ask(f"await {version} {AWAIT_MS}")

    async def report(self, posts: Sequence[Post]) -> dict[str, Any]:
        """Return how long each post took to reach each stream, and counts since `clear`."""
        lines = [f"{post.version} {post.at_ns}" for post in sorted(posts, key=lambda post: post.version)]
        return await self._ask("\n".join([f"report {len(posts)}", *lines]))

    async def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the reader exited at the command “{command[:40]}”")
        found: dict[str, Any] = json.loads(answer)
        return found


@asynccontextmanager
async def crowd(host: str, port: int, path: str) -> AsyncIterator[Crowd]:
    """Start a reader without streams. Raises CannotMeasure."""
    async with running_native(1, "reader", host, str(port), path) as process:
        yield Crowd(process)
