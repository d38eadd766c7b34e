"""Many streams, and what else happens: scores, clients that stop reading, all back at once, the end."""

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from statistics import median

from benchmarks.client import Sent, at_rate
from benchmarks.contenders import BUSY_USERS, Contender, scoreboard
from benchmarks.crowd import Crowd, Post, crowd
from benchmarks.fanout import HOST, PACE_SECONDS, SETTLE_SECONDS, one_by_one
from benchmarks.machine import kernel_bytes, pinned, resident_bytes
from benchmarks.measuring import connected, latencies, others, posts
from benchmarks.options import Figures, OnTick, Options
from benchmarks.target import SERVE, Target, free_port

RATE = 100
MOST = 19_000
"""A machine with 20,000 descriptors a process holds so many, on both sides."""

GOAL_MS = 100.0
STEPS = (2_500, 5_000, 7_500, 10_000, 12_500, 15_000)
DRAIN_SECONDS = 5.0
EVENTS = 5


@asynccontextmanager
async def _watched(
    count: int, metrics_port: int | None = None, path: str = "/api/leaderboard/stream"
) -> AsyncIterator[tuple[Target, Crowd]]:
    settings = {"SCOREBOARD_DRAIN_SECONDS": str(DRAIN_SECONDS), "SCOREBOARD_DRAIN_GRACE_SECONDS": "1"}
    if metrics_port is not None:
        settings["SCOREBOARD_METRICS_PORT"] = str(metrics_port)
    with Target(command=pinned(0, *SERVE), settings=settings) as target:
        async with connected([target], 8) as connections:
            await at_rate(connections, cycle(posts(target, BUSY_USERS)), RATE, 0.5, lambda _: None)
        async with crowd(HOST, target.port, path) as watching:
            await watching.open(count)
            await asyncio.sleep(SETTLE_SECONDS)
            await watching.clear()
            yield target, watching


def _posted(sent: Sequence[Sent]) -> list[Post]:
    """Those that were taken. (`perf_counter` is the monotonic clock.)"""
    return [
        Post(json.loads(one.body)["version"], int(one.planned_at * 1e9)) for one in sent if one.status == 201
    ]


async def fanout_busy(options: Options, on_tick: OnTick) -> Figures:
    """Many streams, and 100 scores a second that each change the top ten."""
    port = free_port()
    async with _watched(options.crowd, port) as (target, watching), connected([target]) as connections:
        before, memory = _metrics(port), resident_bytes(target.process.pid)
        sent = await at_rate(connections, cycle(posts(target, BUSY_USERS)), RATE, options.seconds, on_tick)
        await asyncio.sleep(SETTLE_SECONDS)
        after = _metrics(port)
        report = await watching.report(_posted(sent))
        grown = resident_bytes(target.process.pid) - memory
    walks = after["scoreboard_walk_seconds_count"] - before["scoreboard_walk_seconds_count"]
    walk_ms = 1_000 * (after["scoreboard_walk_seconds_sum"] - before["scoreboard_walk_seconds_sum"]) / walks
    last = latencies([ms / 1_000 for ms in report["last_ms"]])
    return {
        "streams": report["reading"],
        **{f"post_{name}": figure for name, figure in latencies([one.seconds for one in sent]).items()},
        "other_answers": others(sent, 201),
        **{f"last_{name}": figure for name, figure in last.items()},
        "walk_ms": walk_ms,
        "last_in_walks": last["p95_ms"] / walk_ms,
        "events_a_stream": report["events"] / report["reading"],
        "conflated_a_stream": len(sent) - report["events"] / report["reading"],
        "missed": report["missed"],
        "lost_streams": report["lost_streams"],
        "went_back": report["went_back"],
        "grown_mb": grown / 1_000_000,
    }


def _metrics(port: int) -> dict[str, float]:
    """The samples without labels."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as response:
        lines = response.read().decode().splitlines()
    return {
        name: float(value)
        for name, _, value in (line.partition(" ") for line in lines)
        if name.isidentifier()
    }


async def fanout_most(_options: Options, on_tick: OnTick) -> Figures:
    """As many streams as one process may have here."""
    async with scoreboard() as contender, crowd(HOST, contender.port, contender.path) as watching:
        opened = await watching.open(MOST)
        await watching.clear()
        posted = await one_by_one(contender, watching, EVENTS, on_tick)
        report = await watching.report(posted)
        return {
            "live": report["live"],
            "opened_s": opened["seconds"],
            "last_p50_ms": median(report["last_ms"]),
            "missed": report["missed"],
            "lost_streams": report["lost_streams"],
        }


async def fanout_largest(options: Options, on_tick: OnTick) -> Figures:
    """The largest crowd whose last member has an event within 100 ms of the POST: the median of some."""
    found: Figures = {"largest": 0}
    for number, count in enumerate(STEPS):
        async with scoreboard() as contender, crowd(HOST, contender.port, contender.path) as watching:
            last = await _last_ms(contender, watching, count)
        found[f"last_p50_ms_of_{count}"] = last
        on_tick((number + 1) / len(STEPS))
        if last >= GOAL_MS:
            break
        found["largest"] = count
    return found


async def _last_ms(contender: Contender, watching: Crowd, count: int) -> float:
    await watching.open(count)
    await one_by_one(contender, watching, 2, lambda _: None)
    await watching.clear()
    posted = await one_by_one(contender, watching, EVENTS, lambda _: None)
    return float(median((await watching.report(posted))["last_ms"]))


async def fanout_delta(options: Options, on_tick: OnTick) -> Figures:
    """The same events as patches, for whoever asks for them: how many bytes, and until the last one has them."""
    found: dict[str, list[tuple[float, float]]] = {"": [], "?delta=1": []}
    for number, query in enumerate(("", "?delta=1") * options.rounds):
        path = f"/api/leaderboard/stream{query}"
        async with scoreboard(path=path) as contender, crowd(HOST, contender.port, path) as watching:
            await watching.open(options.crowd)
            await one_by_one(contender, watching, 2, lambda _: None)
            await watching.clear()
            posted = await one_by_one(contender, watching, EVENTS, lambda _: None)
            report = await watching.report(posted)
        found[query].append((report["bytes"] / report["events"], median(report["last_ms"])))
        on_tick((number + 1) / (2 * options.rounds))
    whole_bytes, whole_ms = map(median, zip(*found[""], strict=True))
    patch_bytes, patch_ms = map(median, zip(*found["?delta=1"], strict=True))
    return {
        "bytes_an_event": whole_bytes,
        "bytes_a_patch": patch_bytes,
        "bytes_ratio": patch_bytes / whole_bytes,
        "last_p50_ms": whole_ms,
        "last_p50_ms_with_patches": patch_ms,
    }


async def fanout_stalled(options: Options, on_tick: OnTick) -> Figures:
    """A tenth of all clients stop reading: what the others notice, what it costs, and what those get who read on."""
    stalled = options.crowd // 10
    async with scoreboard() as contender, crowd(HOST, contender.port, contender.path) as watching:
        # Before and after, the same clients are looked at.
        await watching.open(options.crowd)
        await one_by_one(contender, watching, 2, lambda _: None)
        last_ms = []
        for is_stalled in (False, True):
            if is_stalled:
                await watching.stall(stalled)
                memory, kernel = resident_bytes(contender.pid), kernel_bytes()
                # Past what the kernel takes for each of them.
                for _ in range(60):
                    await contender.publish()
                    await asyncio.sleep(0.2)
                memory, kernel = resident_bytes(contender.pid) - memory, kernel_bytes() - kernel
            await watching.clear()
            posted = await one_by_one(contender, watching, EVENTS, on_tick)
            last_ms.append(median((await watching.report(posted))["last_ms"]))
        newest = await contender.publish()
        await watching.resume()
        caught_up = await watching.has(newest.version)
        report = await watching.report([])
    return {
        "last_p50_ms": last_ms[0],
        "last_p50_ms_beside_stalled": last_ms[1],
        "ratio": last_ms[1] / last_ms[0],
        "kb_a_stalled": memory / 1_000 / stalled,
        "kernel_kb_a_stalled": kernel / 1_000 / stalled,
        "newest_after_ms": 1_000 * caught_up["seconds"],
        "without_newest": caught_up["missing"],
        "lost_streams": report["lost_streams"],
        "went_back": report["went_back"],
    }


async def fanout_reconnect(options: Options, on_tick: OnTick) -> Figures:
    """All clients come back at once, beside 100 scores a second."""
    async with _watched(options.crowd) as (target, watching), connected([target]) as connections:
        scoring = asyncio.create_task(
            at_rate(connections, cycle(posts(target, BUSY_USERS)), RATE, max(options.seconds, 10), on_tick)
        )
        await asyncio.sleep(PACE_SECONDS)
        back = await watching.reopen()
        sent = await scoring
    return {
        "live": back["live"],
        "live_again_s": back["seconds"],
        "tries": back["tries"],
        **{f"post_{name}": figure for name, figure in latencies([one.seconds for one in sent]).items()},
        "other_answers": others(sent, 201),
    }


async def fanout_stop(options: Options, _on_tick: OnTick) -> Figures:
    """SIGTERM with many streams: how long until the end, and whether a score is refused before the balancer knows."""
    async with _watched(options.crowd) as (target, watching), connected([target]) as connections:
        begun = time.perf_counter()
        sent: list[Sent] = []
        scoring = asyncio.create_task(
            # As long as the grace, in which a balancer finds out that the instance is not ready any more.
            at_rate(connections, cycle(posts(target, BUSY_USERS)), RATE, 1.0, lambda _: None)
        )
        target.process.send_signal(signal.SIGTERM)
        sent = await scoring
        code = await asyncio.to_thread(target.process.wait, 30)
        seconds = time.perf_counter() - begun
        report = await watching.report([])
    return {
        "exit_code": code,
        "seconds": seconds,
        "drain_seconds": DRAIN_SECONDS,
        "still_open": report["live"],
        "scores": len(sent),
        "other_answers": others(sent, 201),
    }
