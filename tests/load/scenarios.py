"""What is measured. Each scenario starts servers of its own, and returns its figures by name."""

import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import cycle, repeat
from pathlib import Path
from statistics import median

from tests.load.client import Answers, Sent, Stream, as_fast_as_possible, at_rate, connect
from tests.load.options import Figures, OnTick, Options, Scenario
from tests.load.page import page, page_recovery
from tests.load.seed import seed
from tests.load.target import Target

CONNECTIONS = 64
USERS = 500
WARM_UP_SECONDS = 1.0
DRAIN_SECONDS = 1.0
"""How long the last events of a stream have to arrive."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that this many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__trunc__() - 1)]


def _latencies(seconds: Sequence[float]) -> Figures:
    return {f"p{percent}_ms": 1_000 * percentile(seconds, percent) for percent in (50, 95, 99)}


def _rates(answers: Answers, elapsed: float, wanted: int) -> Figures:
    wrong = len(answers.seconds) - answers.count(wanted)
    return {"rate": answers.count(wanted) / elapsed, **_latencies(answers.seconds), "other_answers": wrong}


async def _flood(target: Target, requests: Sequence[bytes], seconds: float, wanted: int, on_tick: OnTick) -> Figures:
    connections = await connect(target.host, target.port, CONNECTIONS)
    await as_fast_as_possible(connections, cycle(requests), WARM_UP_SECONDS, lambda _: None)
    answers, elapsed = await as_fast_as_possible(connections, cycle(requests), seconds, on_tick)
    for connection in connections:
        connection.transport.close()
    return _rates(answers, elapsed, wanted)


async def updates(options: Options, on_tick: OnTick) -> Figures:
    """Durable score updates, as many as possible: 64 connections, 500 users."""
    with Target() as target:
        return await _flood(target, _posts(target, USERS), options.seconds, 201, on_tick)


async def limit_cost(options: Options, on_tick: OnTick) -> Figures:
    """The same, in alternating rounds against a server with no rate limit at all (an experiment, not a mode)."""
    unlimited = (sys.executable, str(Path(__file__).with_name("without_limit.py")), "serve")
    rates: dict[bool, list[float]] = {True: [], False: []}
    turns = [number % 2 == 0 for number in range(2 * options.rounds)]
    for turn, limited in enumerate(turns):
        with Target(command=(sys.executable, "-m", "scoreboard", "serve") if limited else unlimited) as target:

            def tick(part: float, turn: int = turn) -> None:
                on_tick((turn + part) / len(turns))

            figures = await _flood(target, _posts(target, USERS), options.seconds / 2, 201, tick)
            rates[limited].append(figures["rate"])
    with_limit, without = median(rates[True]), median(rates[False])
    return {"rate": with_limit, "rate_without_limit": without, "ratio": with_limit / without}


async def refused(options: Options, on_tick: OnTick) -> Figures:
    """Requests of 50 users who are all over their limit."""
    with Target(rate_limit="10/hour") as target:
        connections = await connect(target.host, target.port, CONNECTIONS)
        await at_rate(connections, cycle(_posts(target, 50)), 500, 1.2, lambda _: None)
        return await _flood(target, _posts(target, 50), options.seconds, 429, on_tick)


async def update_latency(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 a second."""
    with Target() as target:
        return await _steady(target, _posts(target, USERS), options.seconds, 201, on_tick)


async def reads(options: Options, on_tick: OnTick) -> Figures:
    """Board reads, as many as possible, beside ten score updates a second."""
    with Target() as target:
        await _some_scores(target)
        writers = await connect(target.host, target.port, 4)
        writing = asyncio.create_task(
            at_rate(writers, cycle(_posts(target, 20)), 10, options.seconds + WARM_UP_SECONDS, lambda _: None)
        )
        figures = await _flood(target, [target.get("/api/leaderboard")], options.seconds, 200, on_tick)
        await writing
        return figures


async def read_latency(options: Options, on_tick: OnTick) -> Figures:
    """Board reads at 100 a second."""
    with Target() as target:
        await _some_scores(target)
        return await _steady(target, [target.get("/api/leaderboard")], options.seconds, 200, on_tick)


async def start(options: Options, on_tick: OnTick) -> Figures:
    """Start with many players in the file: until requests are answered, and until a score knows its rank."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        path = Path(folder) / "scoreboard.db"
        await asyncio.to_thread(seed, path, options.players, lambda part: on_tick(0.9 * part))
        with Target(database=path) as target:
            ready = time.perf_counter() - target.started_at
            (connection,) = await connect(target.host, target.port, 1)
            request = target.post("newcomer")
            while True:
                (answer,) = await at_rate([connection], repeat(request), 20, 0.05, lambda _: None)
                if json.loads(answer.body)["rank"] is not None:
                    break
            ranked = time.perf_counter() - target.started_at
            figures = await _steady(target, _posts(target, USERS), options.seconds, 201, lambda _: None)
            page = target.get(f"/api/leaderboard?limit=100&offset={options.players // 2}")
            pages = await _steady(target, [page], 2, 200, lambda _: None)
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
        posts = _posts(target, 10)
        connections = await connect(target.host, target.port, CONNECTIONS)
        await at_rate(connections, cycle(posts), 100, 0.5, lambda _: None)
        idle = target.resident_bytes()
        watching = await _open_streams(target, options.streams)
        per_stream = (target.resident_bytes() - idle) / options.streams
        sent = await at_rate(connections, cycle(posts), 100, options.seconds, on_tick)
        await asyncio.sleep(DRAIN_SECONDS)
        last, lost = _time_to_last(watching, sent)
        figures = {
            "streams": sum(stream.is_open for stream in watching),
            "events_a_stream": sum(len(stream.arrivals) for stream in watching) / len(watching),
            "resident_kb_a_stream": per_stream / 1_000,
            **{f"post_{name}": value for name, value in _latencies([s.seconds for s in sent]).items()},
            **{f"last_{name}": value for name, value in _latencies(last).items()},
            "not_delivered": lost,
        }
        for stream in watching:
            stream.transport.close()
        return figures


def _time_to_last(watching: Sequence[Stream], sent: Sequence[Sent]) -> tuple[list[float], int]:
    """For each update: how long until the last stream had its version or a later one; and how many never had."""
    versions = [[version for version, _ in stream.arrivals] for stream in watching]
    last: list[float] = []
    lost = 0
    for update in sent:
        version = json.loads(update.body)["version"]
        arrived: list[float] = []
        for stream, known in zip(watching, versions, strict=True):
            index = bisect_left(known, version)
            if index < len(known):
                arrived.append(stream.arrivals[index][1])
            else:
                lost += 1
        if arrived:
            last.append(max(arrived) - update.planned_at)
    return last, lost


async def _open_streams(target: Target, count: int) -> list[Stream]:
    loop = asyncio.get_running_loop()
    request = target.get("/api/leaderboard/stream")
    opened = []
    for _ in range(count):
        _, stream = await loop.create_connection(lambda: Stream(request), target.host, target.port)
        opened.append(stream)
    async with asyncio.timeout(30):
        await asyncio.gather(*(stream.first for stream in opened))
    for stream in opened:
        stream.arrivals.clear()
    return opened


async def _steady(target: Target, requests: Sequence[bytes], seconds: float, wanted: int, on_tick: OnTick) -> Figures:
    connections = await connect(target.host, target.port, CONNECTIONS)
    await at_rate(connections, cycle(requests), 100, WARM_UP_SECONDS, lambda _: None)
    sent = await at_rate(connections, cycle(requests), 100, seconds, on_tick)
    for connection in connections:
        connection.transport.close()
    other = sum(answer.status != wanted for answer in sent)
    return {"rate": len(sent) / seconds, **_latencies([answer.seconds for answer in sent]), "other_answers": other}


async def _some_scores(target: Target) -> None:
    connections = await connect(target.host, target.port, 4)
    await at_rate(connections, cycle(_posts(target, 20)), 100, 0.4, lambda _: None)


def _posts(target: Target, users: int) -> list[bytes]:
    return [target.post(f"user-{number}") for number in range(users)]


def sync_ms() -> float:
    """What a bare durable commit costs on this disk: the median of fifty, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        connection = sqlite3.connect(Path(folder) / "sync.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (a)")
        taken = []
        for _ in range(50):
            before = time.perf_counter()
            connection.execute("INSERT INTO t VALUES (1)")
            taken.append(time.perf_counter() - before)
        connection.close()
    return 1_000 * median(taken)


def machine() -> Mapping[str, str | float | int | None]:
    """What the figures were measured on."""
    return {"cores": os.cpu_count(), "python": sys.version.split()[0], "bare_commit_ms": round(sync_ms(), 3)}


SCENARIOS: Mapping[str, Scenario] = {
    "updates": updates,
    "limit-cost": limit_cost,
    "refused": refused,
    "update-latency": update_latency,
    "reads": reads,
    "read-latency": read_latency,
    "streams": streams,
    "start": start,
    "page": page,
    "page-recovery": page_recovery,
}
