"""Measuring the time from a score until every open stream of a running scoreboard has it."""

import asyncio
import ssl
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import httpx2

from scoreboard.cli.bench.event_times import ANSWER_SECONDS, EventTimes
from scoreboard.cli.server_url import server_url

PARALLEL_OPENINGS: Final = 50
"""Streams that are opened at the same time."""

PARALLEL_POSTS: Final = 16
"""Scores that are sent at the same time."""

SETTLE_SECONDS: Final = 1.0
"""The wait for the last events."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The measurement to make. `users` (id and token) send scores in turn, `rate` times a second."""

    url: str
    board: str | None
    action: str
    streams: int
    rate: float
    seconds: float
    users: Sequence[tuple[str, str]]


@dataclass(slots=True)
class Result:
    """The measurements. Times are seconds since a score was due, with its wait for a connection."""

    posts: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    """Responses by status. 0 counts the scores without a valid response."""
    each: list[float] = field(default_factory=list)
    """Times until one of the streams had a score."""
    last: list[float] = field(default_factory=list)
    """Times until all streams had a score."""
    opened: int = 0
    lost: int = 0
    events: int = 0
    conflated: int = 0
    """Boards that a stream did not get, because it got a newer one."""
    missed: int = 0
    """Boards of which a stream got neither this nor a newer one."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least this percentage of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


async def measure(plan: Plan, on_score: Callable[[int, int], None]) -> Result:
    """Open the streams, send the scores, and compare. Raises StartError if a stream cannot be opened.

    `on_score` gets the number of scores that were sent, and of all.
    """
    server, tls = server_url(plan.url), ssl.create_default_context()
    result = Result()
    streams = [EventTimes(server, plan.board, plan.users[0][1]) for _ in range(plan.streams)]
    try:
        for first in range(0, len(streams), PARALLEL_OPENINGS):
            await _open(streams[first : first + PARALLEL_OPENINGS], tls if server.is_tls else None)
        result.opened = len(streams)
        async with httpx2.AsyncClient(
            base_url=str(server), timeout=ANSWER_SECONDS, verify=tls, trust_env=False
        ) as client:
            scores = await _send_scores(plan, client, result, on_score)
        await asyncio.sleep(SETTLE_SECONDS)
    finally:
        for stream in streams:
            await stream.close()
    _compare(streams, scores, result)
    return result


async def _open(streams: Sequence[EventTimes], tls: ssl.SSLContext | None) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for stream in streams:
                group.create_task(stream.open(tls))
    except ExceptionGroup as failed:
        # The error of one stream is usually that of all.
        raise failed.exceptions[0] from failed


async def _send_scores(
    plan: Plan, client: httpx2.AsyncClient, result: Result, on_score: Callable[[int, int], None]
) -> list[tuple[int, float]]:
    """Return the version of each accepted score, and the time when it was due."""
    scores: list[tuple[int, float]] = []
    free = asyncio.Semaphore(PARALLEL_POSTS)
    total = max(1, round(plan.rate * plan.seconds))

    async def send(user: str, token: str, due_at: float) -> None:
        status = 0
        try:
            async with free:
                response = await client.post(
                    "/api/scores",
                    json={"actionId": plan.action, "userId": user},
                    headers={"Authorization": f"Bearer {token}"},
                )
            if response.status_code == 201:
                scores.append((response.json()["version"], due_at))
            status = response.status_code
        except (httpx2.HTTPError, ValueError, LookupError, TypeError):
            pass  # Not the response of a scoreboard.
        result.posts.append(time.perf_counter() - due_at)
        result.statuses[status] += 1

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(total):
            due_at = start + number / plan.rate
            await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
            group.create_task(send(*plan.users[number % len(plan.users)], due_at))
            on_score(number + 1, total)
    return sorted(scores)


def _compare(streams: Sequence[EventTimes], scores: Sequence[tuple[int, float]], result: Result) -> None:
    versions = [[version for version, _ in stream.arrivals] for stream in streams]
    result.lost = sum(stream.is_lost for stream in streams)
    result.events = sum(map(len, versions))
    for version, due_at in scores:
        times = []
        for stream, known in zip(streams, versions, strict=True):
            index = bisect_left(known, version)
            if index == len(known):
                result.missed += 1
                continue
            result.conflated += known[index] != version
            times.append(stream.arrivals[index][1] - due_at)
        if times:
            result.each += times
            result.last.append(max(times))
