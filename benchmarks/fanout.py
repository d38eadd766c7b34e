"""One change on many screens: how long until the last one has it, and what each costs."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from statistics import median

from benchmarks.contenders import Contender, Contest, floor, rival, scoreboard
from benchmarks.crowd import Crowd, Post, crowd
from benchmarks.machine import cpu_seconds, kernel_bytes, resident_bytes
from benchmarks.options import Figures, OnTick, Options

PACE_SECONDS = 1.0
"""Between two events, so that each has the machine for itself."""

SETTLE_SECONDS = 1.0
HOST = "127.0.0.1"

CONTENDERS: dict[str, Contest] = {
    "scoreboard": scoreboard,
    "floor": floor,
    "sse_starlette": partial(rival, "sse-starlette"),
    "fastapi": partial(rival, "fastapi"),
}


TITLES = {
    "scoreboard": "scoreboard",
    "floor": "bare send(2) in C",
    "sse_starlette": "sse-starlette",
    "fastapi": "FastAPI’s own",
}


async def fanout(options: Options, on_tick: OnTick) -> Figures:
    """One event a second to many streams: until the last has it, memory and processor; with `--compare`, in turns.

    The floor is a bare loop in C over sockets of the same kind; the others are how one would build it on FastAPI.
    """
    names = list(CONTENDERS) if options.compares else ["scoreboard"]
    event_bytes = await _event_bytes()
    rounds: dict[str, list[Figures]] = defaultdict(list)
    turns = options.rounds * len(names)
    for turn in range(turns):
        name = names[turn % len(names)]

        def tick(part: float, turn: int = turn) -> None:
            on_tick((turn + part) / turns)

        async with CONTENDERS[name](event_bytes) as contender:
            measured, options.distributions[TITLES[name]] = await _measured(contender, options, tick)
            rounds[name].append(measured)
    figures = {
        name: {key: median(one[key] for one in each) for key in each[0]} for name, each in rounds.items()
    }
    found = {"streams": float(options.crowd), "event_bytes": float(event_bytes), **figures["scoreboard"]}
    for name in names[1:]:
        found |= {
            f"{name}_{key}": figures[name][key] for key in ("last_p50_ms", "cpu_us_an_event", "kb_a_stream")
        }
        for key in ("last_p50_ms", "cpu_us_an_event"):
            found[f"{key.removesuffix('_ms')}_to_{name}"] = figures["scoreboard"][key] / figures[name][key]
    return found


async def _event_bytes() -> int:
    """How long the scoreboard's own events are."""
    async with scoreboard() as contender, crowd(HOST, contender.port, contender.path) as watching:
        await watching.open(10)
        await watching.clear()
        await watching.has((await contender.publish()).version)
        report = await watching.report([])
    # Of the eleven bytes or so that a chunk adds, the floor has none: its event is the whole.
    return int(report["bytes"] / report["events"])


async def _measured(
    contender: Contender, options: Options, on_tick: OnTick
) -> tuple[Figures, Sequence[tuple[float, int]]]:
    async with crowd(HOST, contender.port, contender.path) as watching:
        idle, kernel = resident_bytes(contender.pid), kernel_bytes()
        opened = await watching.open(options.crowd)
        await asyncio.sleep(SETTLE_SECONDS)
        memory, kernel = resident_bytes(contender.pid) - idle, kernel_bytes() - kernel
        await one_by_one(contender, watching, 2, lambda _: None)
        await watching.clear()
        used = cpu_seconds(contender.pid)
        posted = await one_by_one(contender, watching, max(3, int(options.seconds / PACE_SECONDS)), on_tick)
        used = cpu_seconds(contender.pid) - used
        report = await watching.report(posted)
    figures = {
        "live": opened["live"],
        "opened_s": opened["seconds"],
        "last_p50_ms": median(report["last_ms"]),
        "last_max_ms": max(report["last_ms"]),
        "p50_ms": report["p50_ms"],
        "p95_ms": report["p95_ms"],
        "cpu_us_an_event": 1e6 * used / report["events"],
        "kb_a_stream": memory / 1_000 / options.crowd,
        # Each connection has two ends, and both are on this machine.
        "kernel_kb_a_stream": kernel / 1_000 / options.crowd / 2,
        "bytes_an_event": report["bytes"] / report["events"],
        "missed": report["missed"],
        "lost_streams": report["lost_streams"],
        "went_back": report["went_back"],
    }
    return figures, report["histogram"]


async def one_by_one(contender: Contender, watching: Crowd, count: int, on_tick: OnTick) -> list[Post]:
    """Events at a steady pace, each awaited by all before the next."""
    loop = asyncio.get_running_loop()
    posted = []
    for number in range(count):
        begun = loop.time()
        posted.append(await contender.publish())
        await watching.has(posted[-1].version)
        on_tick((number + 1) / count)
        await asyncio.sleep(max(0.0, begun + PACE_SECONDS - loop.time()))
    return posted
