"""Scenarios of the embedded deployment: one server on a SQLite file. Each scenario starts its own servers."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle, repeat
from pathlib import Path

from benchmarks.client import at_rate
from benchmarks.crowded import reach_of_scores
from benchmarks.measuring import (
    USERS,
    compare,
    connected,
    flood,
    has_rank,
    in_turns,
    posts,
    steady,
    under_load,
)
from benchmarks.options import Figures, OnTick, Options
from benchmarks.seed import Seed, seed_sqlite, short_id
from benchmarks.target import Target, programs


async def updates(options: Options, on_tick: OnTick) -> Figures:
    """Durable score updates as fast as possible: 64 connections, 500 users.

    `--against` adds the server of another checkout, in turns. Each round begins with an empty database.
    """

    async def measure(program: Sequence[str], tick: OnTick) -> Figures:
        with Target(command=program) as target:
            return await flood([target], posts(target, USERS), options.seconds, 201, tick)

    measures = {name: partial(measure, program) for name, program in programs(options.against).items()}
    return compare(await in_turns(measures, 1 if options.against is None else options.rounds, on_tick))


async def refused(options: Options, on_tick: OnTick) -> Figures:
    """Requests of 50 users who are all over their rate limit."""
    with Target({"SCOREBOARD_RATE_LIMIT": "10/hour"}) as target:
        async with connected([target]) as connections:
            await at_rate(connections, cycle(posts(target, 50)), 500, 1.2)
        return await flood([target], posts(target, 50), options.seconds, 429, on_tick)


async def update_latency(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 per second."""
    with Target() as target:
        return await steady([target], posts(target, USERS), options.seconds, 201, on_tick)


async def reads(options: Options, on_tick: OnTick) -> Figures:
    """Board reads as fast as possible, next to ten score updates per second."""
    with Target() as target:
        await _some_scores(target)
        async with under_load([target], posts(target, 20), 10, 4):
            return await flood([target], [target.get("/api/leaderboard")], options.seconds, 200, on_tick)


async def read_latency(options: Options, on_tick: OnTick) -> Figures:
    """Board reads at 100 per second."""
    with Target() as target:
        await _some_scores(target)
        return await steady([target], [target.get("/api/leaderboard")], options.seconds, 200, on_tick)


async def start(options: Options, on_tick: OnTick) -> Figures:
    """Start with many players in the file: the time until requests are answered, and until a rank is."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        path = Path(folder) / "scoreboard.db"
        seed = Seed(options.players, to_id=short_id)
        await asyncio.to_thread(seed_sqlite, path, seed, lambda part: on_tick(0.9 * part))
        with Target({"SCOREBOARD_DATABASE_URL": f"sqlite:///{path}"}) as target:
            ready = time.perf_counter() - target.started_at
            await until_ranked(target)
            ranked = time.perf_counter() - target.started_at
            figures = await steady([target], posts(target, USERS), options.seconds, 201)
            page = target.get(f"/api/leaderboard?limit=100&offset={options.players // 2}")
            pages = await steady([target], [page], 2, 200)
            on_tick(1)
            return {
                "players": options.players,
                "ready_s": ready,
                "ranked_s": ranked,
                "resident_mb": target.resident_bytes() / 1_000_000,
                "update_p95_ms": figures["p95_ms"],
                "deep_page_p95_ms": pages["p95_ms"],
            }


async def until_ranked(target: Target) -> None:
    """Submit scores until one is answered with a rank."""
    async with connected([target], 1) as connections:
        while True:
            (answer,) = await at_rate(connections, repeat(target.post("newcomer")), 20, 0.05)
            if has_rank(answer):
                break


async def streams(options: Options, on_tick: OnTick) -> Figures:
    """Open streams and 100 score updates per second: the time from a POST until every stream has it."""
    with Target() as target:
        return await reach_of_scores(target, target, options, on_tick)


async def _some_scores(target: Target) -> None:
    async with connected([target], 4) as connections:
        await at_rate(connections, cycle(posts(target, 20)), 100, 0.4)
