"""Many streams under special conditions: continuous scores, stalled clients, reconnects, shutdown."""

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle

from benchmarks.client import Sent, at_rate
from benchmarks.contenders import BUSY_USERS, HOST, STREAM
from benchmarks.crowd import Crowd, Post, crowd
from benchmarks.fanout import PACE_SECONDS, SETTLE_SECONDS
from benchmarks.machine import pinned
from benchmarks.measuring import connected, latencies, others, posts, under_load
from benchmarks.options import Figures, OnTick, Options
from benchmarks.target import COMMAND, Target
from tests.servers.process import free_port

RATE = 100
DRAIN_SECONDS = 5.0


@asynccontextmanager
async def _watched(count: int, metrics_port: int | None = None) -> AsyncIterator[tuple[Target, Crowd]]:
    settings = {"SCOREBOARD_DRAIN_SECONDS": str(DRAIN_SECONDS), "SCOREBOARD_DRAIN_GRACE_SECONDS": "1"}
    if metrics_port is not None:
        settings["SCOREBOARD_METRICS_PORT"] = str(metrics_port)
    with Target(settings, pinned(0, *COMMAND)) as target:
        async with connected([target], 8) as connections:
            await at_rate(connections, cycle(posts(target, BUSY_USERS)), RATE, 0.5)
        async with crowd(HOST, target.port, STREAM) as watching:
            await watching.open(count)
            await asyncio.sleep(SETTLE_SECONDS)
            await watching.clear()
            yield target, watching


async def scores_to_streams(
    posted: Target, watched: Target, watching: Crowd, seconds: float, on_tick: OnTick
) -> Figures:
    """Submit 100 scores per second, each of which changes the top ten, and measure how they reach the
    streams.

    The time of a score begins with its POST and ends when a stream has its version or a later one.
    """
    async with connected([posted]) as connections:
        memory = watched.resident_bytes()
        sent = await at_rate(connections, cycle(posts(posted, BUSY_USERS)), RATE, seconds, on_tick)
        await asyncio.sleep(SETTLE_SECONDS)
        report = await watching.report(_posted(sent))
        grown = watched.resident_bytes() - memory
    events_a_stream = report["events"] / report["reading"]
    return {
        "streams": report["reading"],
        **latencies([one.seconds for one in sent], "post_"),
        "other_answers": others(sent, 201),
        **{name: report[name] for name in ("p50_ms", "p95_ms", "p99_ms")},
        **latencies([ms / 1_000 for ms in report["last_ms"]], "last_"),
        "events_a_stream": events_a_stream,
        "conflated_a_stream": len(sent) - events_a_stream,
        "not_delivered": report["missed"],
        "lost_streams": report["lost_streams"],
        "went_back": report["went_back"],
        "grown_mb": grown / 1_000_000,
    }


async def reach_of_scores(posted: Target, watched: Target, options: Options, on_tick: OnTick) -> Figures:
    """Open `options.streams` streams on one instance, and submit scores to it or to another one."""
    async with connected([posted]) as connections, crowd(HOST, watched.port, STREAM) as watching:
        await at_rate(connections, cycle(posts(posted, BUSY_USERS)), RATE, 0.5)
        idle = watched.resident_bytes()
        await watching.open(options.streams)
        per_stream = (watched.resident_bytes() - idle) / options.streams
        await watching.clear()
        figures = await scores_to_streams(posted, watched, watching, options.seconds, on_tick)
    return {**figures, "resident_kb_a_stream": per_stream / 1_000}


def _posted(sent: Sequence[Sent]) -> list[Post]:
    """Return the accepted scores. (`perf_counter` is the monotonic clock.)"""
    return [
        Post(json.loads(one.body)["version"], int(one.planned_at * 1e9)) for one in sent if one.status == 201
    ]


async def fanout_busy(options: Options, on_tick: OnTick) -> Figures:
    """Hold many streams while 100 scores per second each change the top ten."""
    port = free_port()
    async with _watched(options.crowd, port) as (target, watching):
        before = _metrics(port)
        figures = await scores_to_streams(target, target, watching, options.seconds, on_tick)
        after = _metrics(port)
    walks, seconds = (
        after[f"scoreboard_walk_seconds_{kind}"] - before[f"scoreboard_walk_seconds_{kind}"]
        for kind in ("count", "sum")
    )
    walk_ms = 1_000 * seconds / walks
    return {
        "missed": figures.pop("not_delivered"),
        **figures,
        "walk_ms": walk_ms,
        "last_in_walks": figures["last_p95_ms"] / walk_ms,
    }


def _metrics(port: int) -> dict[str, float]:
    """Return the samples that have no labels."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as response:
        lines = response.read().decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.partition(" ") for line in lines)
        if name.isidentifier()
    }


async def fanout_reconnect(options: Options, on_tick: OnTick) -> Figures:
    """Reconnect all clients at once, next to 100 scores per second."""
    async with (
        _watched(options.crowd) as (target, watching),
        under_load([target], posts(target, BUSY_USERS), RATE) as sent,
    ):
        await asyncio.sleep(PACE_SECONDS)
        back = await watching.reopen()
        on_tick(0.5)
        await asyncio.sleep(options.seconds)
    return {
        "live": back["live"],
        "live_again_s": back["seconds"],
        "tries": back["tries"],
        **latencies([one.seconds for one in sent], "post_"),
        "other_answers": others(sent, 201),
    }


async def fanout_stop(options: Options, _on_tick: OnTick) -> Figures:
    """Send SIGTERM with many streams open. Measure the time to exit; count scores refused meanwhile."""
    async with _watched(options.crowd) as (target, watching), connected([target]) as connections:
        begun = time.perf_counter()
        # For as long as the grace period, in which a load balancer notices that the instance is not ready.
        scoring = asyncio.create_task(at_rate(connections, cycle(posts(target, BUSY_USERS)), RATE, 1.0))
        code = await asyncio.to_thread(target.stop)
        seconds = time.perf_counter() - begun
        sent = await scoring
        report = await watching.report([])
    return {
        "exit_code": code or 0,
        "seconds": seconds,
        "drain_seconds": DRAIN_SECONDS,
        "still_open": report["live"],
        "scores": len(sent),
        "other_answers": others(sent, 201),
    }
