"""Redis falls silent, or dies, under score updates; and comes back."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

from benchmarks.client import Sent, at_rate
from benchmarks.deployment import Deployment, deployed
from benchmarks.measuring import USERS, WARM_UP_SECONDS, connected, latencies, others, posts
from benchmarks.options import Figures, OnTick, Options

RATE = 100
BEFORE_SECONDS = 2.0
TRIP_SECONDS = 0.6
"""The one trip that finds it out may take half a second; whoever comes after it should notice nothing."""

GONE_SECONDS = 3.0
"""At least: several trips, if they were made."""

AFTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outage:
    """When Redis went, and when it was back."""

    began: float
    ended: float


async def redis_silent(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 a second while Redis is stopped, and again while it is killed and all that it held is lost.

    For each: the longest answer of the first trip, p95 after that one, and when a score's rank is known again.
    """
    with deployed() as deployment:
        redis = deployment.redis
        silent = await _pass(deployment, redis.pause, redis.resume, options, lambda part: on_tick(part / 2))
        killed = await _pass(
            deployment, redis.kill, redis.start, options, lambda part: on_tick(0.5 + part / 2)
        )
    return {
        **silent,
        **{f"killed_{name}": figure for name, figure in killed.items() if name != "other_answers"},
        "other_answers": silent["other_answers"] + killed["other_answers"],
    }


async def _pass(
    deployment: Deployment,
    take_away: Callable[[], None],
    give_back: Callable[[], None],
    options: Options,
    on_tick: OnTick,
) -> Figures:
    gone_seconds = max(GONE_SECONDS, options.seconds / 2)

    async def interrupt() -> Outage:
        await asyncio.sleep(BEFORE_SECONDS)
        began = perf_counter()
        await asyncio.to_thread(take_away)
        await asyncio.sleep(gone_seconds)
        await asyncio.to_thread(give_back)
        return Outage(began, perf_counter())

    with deployment.instances(1) as targets:
        requests = cycle(posts(targets[0], USERS))
        async with connected(targets) as connections:
            await at_rate(connections, requests, RATE, WARM_UP_SECONDS, lambda _: None)
            interrupting = asyncio.create_task(interrupt())
            seconds = BEFORE_SECONDS + gone_seconds + AFTER_SECONDS
            sent = await at_rate(connections, requests, RATE, seconds, on_tick)
            outage = await interrupting
    return _figures(sent, outage)


def _figures(sent: Sequence[Sent], outage: Outage) -> Figures:
    trip_ends = outage.began + TRIP_SECONDS
    first_trip = [s for s in sent if s.planned_at + s.seconds >= outage.began and s.planned_at < trip_ends]
    after_it = [s for s in sent if trip_ends <= s.planned_at < outage.ended]
    ranked = [s.planned_at + s.seconds for s in sent if s.planned_at >= outage.ended and _has_rank(s)]
    if not ranked:
        raise TimeoutError(f"no rank is known {AFTER_SECONDS:g} s after Redis has come back")
    return {
        "longest_ms": 1_000 * max(s.seconds for s in first_trip),
        **latencies([s.seconds for s in after_it]),
        "ranked_again_s": min(ranked) - outage.ended,
        "other_answers": others(sent, 201),
    }


def _has_rank(sent: Sent) -> bool:
    return sent.status == 201 and json.loads(sent.body)["rank"] is not None
