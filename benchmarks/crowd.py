"""Ten thousand browsers, as cheap as can be: `native/reader.c`, a process of its own."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import pinned
from benchmarks.native import compiled

AWAIT_MS = 20_000
"""How long the last stream may take. Past that it is counted as missed."""


@dataclass(frozen=True, slots=True)
class Post:
    """When a version was asked for, in nanoseconds of the monotonic clock."""

    version: int
    at_ns: int


class Crowd:
    """Open streams. Each method is a command of the reader's, and returns what it answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def open(self, count: int) -> dict[str, Any]:
        """More streams, until there are so many with a first event."""
        return await self._ask(f"open {count}")

    async def reopen(self) -> dict[str, Any]:
        """All leave, and come back at once."""
        return await self._ask("reopen")

    async def clear(self) -> None:
        await self._ask("clear")

    async def stall(self, count: int) -> None:
        """The first ones read nothing more."""
        await self._ask(f"stall {count}")

    async def resume(self) -> None:
        await self._ask("resume")

    async def has(self, version: int) -> dict[str, Any]:
        """Wait until each has a version."""
        return await self._ask(f"await {version} {AWAIT_MS}")

    async def report(self, posts: Sequence[Post]) -> dict[str, Any]:
        """How long each post took to each stream."""
        lines = [f"{post.version} {post.at_ns}" for post in sorted(posts, key=lambda post: post.version)]
        return await self._ask("\n".join([f"report {len(posts)}", *lines]))

    async def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the reader has ended at “{command[:40]}”")
        found: dict[str, Any] = json.loads(answer)
        return found


@asynccontextmanager
async def crowd(host: str, port: int, path: str) -> AsyncIterator[Crowd]:
    """Nobody yet. Raises CannotMeasure."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        program = compiled("reader", Path(folder))
        process = await asyncio.create_subprocess_exec(
            *pinned(1, str(program), host, str(port), path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**26,
        )
        try:
            yield Crowd(process)
        finally:
            process.kill()
            await process.wait()
