"""One event to many streams: the time until the last stream has it, and the cost per stream and event."""

import asyncio
from collections.abc import Sequence
from functools import partial
from statistics import median

from benchmarks.contenders import HOST, Contender, Contest, floor, rival, scoreboard
from benchmarks.crowd import Crowd, Post, crowd
from benchmarks.machine import cpu_seconds, kernel_bytes, resident_bytes
from benchmarks.measuring import in_turns, medians
from benchmarks.options import Figures, OnTick, Options, ignore_tick

PACE_SECONDS = 1.0
"""The pause between two events, so that the machine is idle when the next one starts."""

SETTLE_SECONDS = 1.0

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
    """Send one event a second to many streams. `--compare` alternates with a loop in C and two libraries."""
    names = list(CONTENDERS) if options.compares else ["scoreboard"]
    event_bytes = await _event_bytes()

    async def measure(name: str, tick: OnTick) -> Figures:
        async with CONTENDERS[name](event_bytes) as contender:
            events = max(3, int(options.seconds / PACE_SECONDS))
            figures, options.distributions[TITLES[name]] = await measured(
                contender, options.crowd, events, tick
            )
            return figures

    rounds = await in_turns({name: partial(measure, name) for name in names}, options.rounds, on_tick)
    figures = {name: medians(each) for name, each in rounds.items()}
    found = {"streams": float(options.crowd), "event_bytes": float(event_bytes), **figures["scoreboard"]}
    for name in names[1:]:
        found |= {
            f"{name}_{key}": figures[name][key] for key in ("last_p50_ms", "cpu_us_an_event", "kb_a_stream")
        }
        for key in ("last_p50_ms", "cpu_us_an_event"):
            found[f"{key.removesuffix('_ms')}_to_{name}"] = figures["scoreboard"][key] / figures[name][key]
    return found


async def _event_bytes() -> int:
    """Return the size of the scoreboard's own events, with the chunk headers of about eleven bytes."""
    async with scoreboard() as contender, crowd(HOST, contender.port, contender.path) as watching:
        await watching.open(10)
        await watching.clear()
        await watching.has((await contender.publish()).version)
        report = await watching.report([])
    return int(report["bytes"] / report["events"])


async def measured(
    contender: Contender, streams: int, events: int, on_tick: OnTick = ignore_tick
) -> tuple[Figures, Sequence[tuple[float, int]]]:
    """Open the streams and publish the events. Return the figures and the histogram of the delays."""
    async with crowd(HOST, contender.port, contender.path) as watching:
        idle, kernel, used = resident_bytes(contender.pid), kernel_bytes(), cpu_seconds(contender.pid)
        opened = await watching.open(streams)
        await asyncio.sleep(SETTLE_SECONDS)
        opening = cpu_seconds(contender.pid) - used
        memory, kernel = resident_bytes(contender.pid) - idle, kernel_bytes() - kernel
        await one_by_one(contender, watching, 2)
        await watching.clear()
        used = cpu_seconds(contender.pid)
        posted = await one_by_one(contender, watching, events, on_tick)
        used = cpu_seconds(contender.pid) - used
        report = await watching.report(posted)
    figures = {
        "live": opened["live"],
        "opened_s": opened["seconds"],
        "last_p50_ms": median(report["last_ms"]),
        "last_max_ms": max(report["last_ms"]),
        "p50_ms": report["p50_ms"],
        "p95_ms": report["p95_ms"],
        "cpu_us_an_opening": 1e6 * opening / streams,
        "cpu_us_an_event": 1e6 * used / report["events"],
        "kb_a_stream": memory / 1_000 / streams,
        # Both ends of each connection are on this machine.
        "kernel_kb_a_stream": kernel / 1_000 / streams / 2,
        "bytes_an_event": report["bytes"] / report["events"],
        "missed": report["missed"],
        "lost_streams": report["lost_streams"],
        "went_back": report["went_back"],
    }
    return figures, report["histogram"]


async def one_by_one(
    contender: Contender, watching: Crowd, count: int, on_tick: OnTick = ignore_tick
) -> list[Post]:
    """Publish events at a steady pace, each after all streams have the previous one."""
    loop = asyncio.get_running_loop()
    posted = []
    for number in range(count):
        begun = loop.time()
        posted.append(await contender.publish())
        await watching.has(posted[-1].version)
        on_tick((number + 1) / count)
        await asyncio.sleep(max(0.0, begun + PACE_SECONDS - loop.time()))
    return posted
