"""Pause or kill Redis under score updates, and bring it back."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

from benchmarks.client import Sent, at_rate
from benchmarks.deployment import Deployment, deployed
from benchmarks.measuring import USERS, WARM_UP_SECONDS, connected, has_rank, latencies, others, posts
from benchmarks.options import Figures, OnTick, Options

RATE = 100
BEFORE_SECONDS = 2.0
DISCOVERY_SECONDS = 0.6
"""The call that discovers the outage may take half a second. Later requests should not be delayed."""

GONE_SECONDS = 3.0
"""The shortest outage: long enough for several calls, if instances made them."""

AFTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outage:
    """When Redis was taken away, and when it was back."""

    began: float
    ended: float


async def redis_silent(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 per second while Redis is paused, and again while it is killed and loses its data.

    Measures the longest response until the outage is discovered, the p95 after that, and when a rank is known
    again.
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
            await at_rate(connections, requests, RATE, WARM_UP_SECONDS)
            interrupting = asyncio.create_task(interrupt())
            seconds = BEFORE_SECONDS + gone_seconds + AFTER_SECONDS
            sent = await at_rate(connections, requests, RATE, seconds, on_tick)
            outage = await interrupting
    return _figures(sent, outage)


def _figures(sent: Sequence[Sent], outage: Outage) -> Figures:
    found_out = outage.began + DISCOVERY_SECONDS
    at_first = [s for s in sent if s.planned_at + s.seconds >= outage.began and s.planned_at < found_out]
    later = [s for s in sent if found_out <= s.planned_at < outage.ended]
    ranked = [s.planned_at + s.seconds for s in sent if s.planned_at >= outage.ended and has_rank(s)]
    if not ranked:
        raise TimeoutError(f"no rank is known {AFTER_SECONDS:g} s after Redis is back")
    return {
        "longest_ms": 1_000 * max(s.seconds for s in at_first),
        **latencies([s.seconds for s in later]),
        "ranked_again_s": min(ranked) - outage.ended,
        "other_answers": others(sent, 201),
    }
