"""Open streams, and how long an update takes to reach them."""

import asyncio
import json
from bisect import bisect_left
from collections.abc import Sequence

from benchmarks.client import Sent, Stream
from benchmarks.target import Target

DRAIN_SECONDS = 1.0
"""How long the last events of a stream have to arrive."""

OPEN_SECONDS = 30.0


async def open_streams(target: Target, count: int) -> list[Stream]:
    """Streams that have their first board; what they record starts after it."""
    loop = asyncio.get_running_loop()
    request = target.get("/api/leaderboard/stream")
    opened = []
    for _ in range(count):
        _, stream = await loop.create_connection(lambda: Stream(request), target.host, target.port)
        opened.append(stream)
    async with asyncio.timeout(OPEN_SECONDS):
        await asyncio.gather(*(stream.first for stream in opened))
    for stream in opened:
        stream.arrivals.clear()
    return opened


def delays(watching: Sequence[Stream], sent: Sequence[Sent]) -> tuple[list[list[float]], int]:
    """For each update: how long until each stream had its version or a later one; and how many never had one."""
    versions = [[version for version, _ in stream.arrivals] for stream in watching]
    found: list[list[float]] = []
    lost = 0
    for update in sent:
        version = json.loads(update.body)["version"]
        taken: list[float] = []
        for stream, known in zip(watching, versions, strict=True):
            index = bisect_left(known, version)
            if index < len(known):
                taken.append(stream.arrivals[index][1] - update.planned_at)
            else:
                lost += 1
        if taken:
            found.append(taken)
    return found, lost
