"""The embedded deployment: one server on a SQLite file. Each scenario starts servers of its own."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, repeat
from pathlib import Path
from statistics import median

from benchmarks.client import at_rate
from benchmarks.measuring import USERS, WARM_UP_SECONDS, connected, flood, latencies, posts, steady
from benchmarks.options import Figures, OnTick, Options
from benchmarks.seed import seed
from benchmarks.streams import DRAIN_SECONDS, delays, open_streams
from benchmarks.target import Target


async def updates(options: Options, on_tick: OnTick) -> Figures:
    """Durable score updates, as many as possible: 64 connections, 500 users."""
    with Target() as target:
        return await flood([target], posts(target, USERS), options.seconds, 201, on_tick)


async def limit_cost(options: Options, on_tick: OnTick) -> Figures:
    """The same, in alternating rounds against a server with no rate limit at all (an experiment, not a mode)."""
    unlimited = (sys.executable, str(Path(__file__).with_name("without_limit.py")), "serve")
    with_limit, without = await _alternate(Target, lambda: Target(command=unlimited), options, on_tick)
    return {"rate": with_limit, "rate_without_limit": without, "ratio": with_limit / without}


async def log_cost(options: Options, on_tick: OnTick) -> Figures:
    """The same, in alternating rounds with a line of the log for each request, and without."""
    logging = {"SCOREBOARD_REQUEST_LOG": "true"}
    with_log, without = await _alternate(lambda: Target(settings=logging), Target, options, on_tick)
    return {"rate": with_log, "rate_without_log": without, "ratio": with_log / without}


async def _alternate(
    one: Callable[[], Target], other: Callable[[], Target], options: Options, on_tick: OnTick
) -> tuple[float, float]:
    """Durable score updates a second of two kinds of servers: the medians of their rounds."""
    rates: tuple[list[float], list[float]] = ([], [])
    turns = options.rounds * ((one, rates[0]), (other, rates[1]))
    for turn, (make, found) in enumerate(turns):
        with make() as target:

            def tick(part: float, turn: int = turn) -> None:
                on_tick((turn + part) / len(turns))

            found.append(
                (await flood([target], posts(target, USERS), options.seconds / 2, 201, tick))["rate"]
            )
    return median(rates[0]), median(rates[1])


async def refused(options: Options, on_tick: OnTick) -> Figures:
    """Requests of 50 users who are all over their limit."""
    with Target(rate_limit="10/hour") as target:
        async with connected([target]) as connections:
            await at_rate(connections, cycle(posts(target, 50)), 500, 1.2, lambda _: None)
        return await flood([target], posts(target, 50), options.seconds, 429, on_tick)


async def update_latency(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 a second."""
    with Target() as target:
        return await steady([target], posts(target, USERS), options.seconds, 201, on_tick)


async def reads(options: Options, on_tick: OnTick) -> Figures:
    """Board reads, as many as possible, beside ten score updates a second."""
    with Target() as target:
        await _some_scores(target)
        async with connected([target], 4) as writers:
            writing = asyncio.create_task(
                at_rate(
                    writers, cycle(posts(target, 20)), 10, options.seconds + WARM_UP_SECONDS, lambda _: None
                )
            )
            figures = await flood([target], [target.get("/api/leaderboard")], options.seconds, 200, on_tick)
            await writing
        return figures


async def read_latency(options: Options, on_tick: OnTick) -> Figures:
    """Board reads at 100 a second."""
    with Target() as target:
        await _some_scores(target)
        return await steady([target], [target.get("/api/leaderboard")], options.seconds, 200, on_tick)


async def start(options: Options, on_tick: OnTick) -> Figures:
    """Start with many players in the file: until requests are answered, and until a score knows its rank."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        path = Path(folder) / "scoreboard.db"
        await asyncio.to_thread(seed, path, options.players, lambda part: on_tick(0.9 * part))
        with Target(database=path) as target:
            ready = time.perf_counter() - target.started_at
            request = target.post("newcomer")
            async with connected([target], 1) as connections:
                while True:
                    (answer,) = await at_rate(connections, repeat(request), 20, 0.05, lambda _: None)
                    if json.loads(answer.body)["rank"] is not None:
                        break
            ranked = time.perf_counter() - target.started_at
            figures = await steady([target], posts(target, USERS), options.seconds, 201, lambda _: None)
            page = target.get(f"/api/leaderboard?limit=100&offset={options.players // 2}")
            pages = await steady([target], [page], 2, 200, lambda _: None)
            on_tick(1)
            return {
                "players": options.players,
                "ready_s": ready,
                "ranked_s": ranked,
                "resident_mb": target.resident_bytes() / 1_000_000,
                "update_p95_ms": figures["p95_ms"],
                "deep_page_p95_ms": pages["p95_ms"],
            }


async def streams(options: Options, on_tick: OnTick) -> Figures:
    """Open streams and 100 score updates a second: from a POST until every stream has the board it made."""
    with Target() as target:
        # Ten users: each of their scores changes the top ten, so each must reach every stream.
        requests = posts(target, 10)
        async with connected([target]) as connections:
            await at_rate(connections, cycle(requests), 100, 0.5, lambda _: None)
            idle = target.resident_bytes()
            watching = await open_streams(target, options.streams)
            per_stream = (target.resident_bytes() - idle) / options.streams
            sent = await at_rate(connections, cycle(requests), 100, options.seconds, on_tick)
        await asyncio.sleep(DRAIN_SECONDS)
        taken, lost = delays(watching, sent)
        figures = {
            "streams": sum(stream.is_open for stream in watching),
            "events_a_stream": sum(len(stream.arrivals) for stream in watching) / len(watching),
            "resident_kb_a_stream": per_stream / 1_000,
            **{f"post_{name}": value for name, value in latencies([s.seconds for s in sent]).items()},
            **{f"last_{name}": value for name, value in latencies([max(each) for each in taken]).items()},
            "not_delivered": lost,
        }
        for stream in watching:
            stream.transport.close()
        return figures


async def _some_scores(target: Target) -> None:
    async with connected([target], 4) as connections:
        await at_rate(connections, cycle(posts(target, 20)), 100, 0.4, lambda _: None)
