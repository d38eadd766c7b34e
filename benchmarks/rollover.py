"""The end of a day on a board with many players and open streams, under score updates and reads.

The board has a time zone of its own, whose clocks are set so that the day ends during the run.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, cycle
from pathlib import Path

from benchmarks.catalogs import WITH_PERIODS, TimeZone, catalog, today_us
from benchmarks.client import Sent
from benchmarks.contenders import HOST, STREAM
from benchmarks.crowd import Post, crowd
from benchmarks.deployment import deployed
from benchmarks.embedded import until_ranked
from benchmarks.measuring import others, posts, under_load
from benchmarks.options import CannotMeasure, Figures, OnTick, Options
from benchmarks.questions import Pace, ask, questions
from benchmarks.seed import Seed, seed_postgresql, seed_sqlite, short_id
from benchmarks.target import Target

POSTS_A_SECOND = 50
READS_A_SECOND = 50
SCORERS = 200
CLOSED_A_SECOND = 2
"""Questions about the day that is over, whose answers come from the database."""

WINDOW_SECONDS = 10.0
"""Answers are compared in two windows of this length, before the boundary and from it on."""

MARGIN_SECONDS = 1.0
"""The second window begins so much earlier: a request may wait already."""

PREPARE_SECONDS = 20.0

Instances = Callable[[], AbstractContextManager[Sequence[Target]]]
"""Starts the instances."""


async def rollover(options: Options, on_tick: OnTick) -> Figures:
    """Measure one process on SQLite."""
    with ExitStack() as stack:
        zone = stack.enter_context(TimeZone())
        seed = replace(_seed(options, zone), to_id=short_id)
        path = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scoreboard-load-")))
            / "scoreboard.db"
        )
        await asyncio.to_thread(seed_sqlite, path, seed, lambda part: on_tick(0.3 * part))
        catalog_setting = stack.enter_context(catalog(seed.definition))
        settings = {"SCOREBOARD_DATABASE_URL": f"sqlite:///{path}", **zone.environment, **catalog_setting}

        @contextmanager
        def instance() -> Iterator[Sequence[Target]]:
            with Target(settings) as target:
                yield [target]

        return await _measure(instance, zone, seed, options, on_tick)


async def distributed_rollover(options: Options, on_tick: OnTick) -> Figures:
    """Measure two instances on PostgreSQL and Redis. The streams are on the second one."""
    with TimeZone() as zone:
        seed = _seed(options, zone)
        with (
            catalog(seed.definition) as settings,
            deployed(further={**settings, **zone.environment}) as deployment,
        ):
            await seed_postgresql(deployment.url, seed, lambda part: on_tick(0.3 * part))
            return await _measure(lambda: deployment.instances(2), zone, seed, options, on_tick)


def _seed(options: Options, zone: TimeZone) -> Seed:
    return Seed(options.players, replace(WITH_PERIODS, timezone=zone.zone), today_us())


async def _measure(
    instances: Instances, zone: TimeZone, seed: Seed, options: Options, on_tick: OnTick
) -> Figures:
    # The zone's clocks cannot be set while instances run. The first ones fill Redis, and show how long
    # a start takes.
    with instances() as targets:
        await until_ranked(targets[0])
        fill_seconds = time.perf_counter() - targets[0].started_at
    on_tick(0.5)
    ends_at = zone.end_day(1.5 * fill_seconds + PREPARE_SECONDS + WINDOW_SECONDS)
    with instances() as targets:
        await until_ranked(targets[0])
        end = _End(ends_at)
        figures = await _cross(targets, seed, options, end)
        on_tick(0.9)
        closed = await ask(targets, seed, Pace(CLOSED_A_SECOND, options.seconds), end.day, "closed_")
    return {"players": seed.players, **figures, **closed}


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a day of the board, as a Unix time."""

    at: float

    @property
    def day(self) -> str:
        """The day that ends. Until then, the zone's clocks show the date of UTC."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.at))

    @property
    def monotonic(self) -> float:
        """The same moment on the monotonic clock."""
        return time.perf_counter() + self.at - time.time()


async def _cross(targets: Sequence[Target], seed: Seed, options: Options, end: _End) -> Figures:
    """Measure from some time before the end of the day until some time after it."""
    boundary = end.monotonic
    wanted = questions(seed, "day")
    turns = zip(cycle(wanted["top"]), wanted["rank"], wanted["around"], strict=False)
    reads = [targets[0].get(path) for path in chain.from_iterable(turns)]
    async with crowd(HOST, targets[-1].port, f"{STREAM}?period=day") as watching:
        await watching.open(options.streams)
        async with (
            under_load(targets, posts(targets[0], SCORERS), POSTS_A_SECOND) as posted,
            under_load(targets, reads, READS_A_SECOND) as read,
        ):
            if time.perf_counter() > boundary - WINDOW_SECONDS:
                raise CannotMeasure("the streams were opened too late: use fewer --players or --streams")
            await asyncio.sleep(boundary + WINDOW_SECONDS - time.perf_counter())
        report = await watching.report([Post(_rollover_version(posted, end.day), int(boundary * 1e9))])
    before, after = (_longest_ms([posted, read], *window) for window in _windows(boundary))
    return {
        "streams": report["reading"],
        "screens_s": max(report["last_ms"], default=float("inf")) / 1_000,
        "not_delivered": report["missed"],
        "longest_before_ms": max(before),
        "longest_ms": max(after),
        "late_ms": max(late - usual for usual, late in zip(before, after, strict=True)),
        "failed": others(posted, 201) + others(read, 200),
    }


def _windows(boundary: float) -> Sequence[tuple[float, float]]:
    begin = boundary - MARGIN_SECONDS
    return (begin - WINDOW_SECONDS, begin), (begin, begin + WINDOW_SECONDS)


def _longest_ms(loads: Sequence[Sequence[Sent]], begin: float, end: float) -> list[float]:
    """Return the longest answer of each load among the requests of a window."""
    return [max(1_000 * one.seconds for one in load if begin <= one.planned_at < end) for load in loads]


def _rollover_version(posted: Sequence[Sent], day: str) -> int:
    """Return the version before the first score that does not count for this day."""
    answers = [json.loads(one.body) for one in posted if one.status == 201]
    later = [answer["version"] for answer in answers if day not in answer["periods"]]
    if not later:
        raise RuntimeError(f"no score was counted for the day after {day}")
    return int(min(later)) - 1
