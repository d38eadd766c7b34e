"""Pause or kill Redis under score updates, and bring it back."""

import asyncio
from collections.abc import Callable
from time import perf_counter

from benchmarks.deployment import Deployment, deployed
from benchmarks.measuring import USERS, WARM_UP_SECONDS, has_rank, latencies, others, posts, under_load
from benchmarks.options import Figures, OnTick, Options

RATE = 100
BEFORE_SECONDS = 2.0
DISCOVERY_SECONDS = 0.6
"""The call that discovers the outage may take half a second. Later requests should not be delayed."""

GONE_SECONDS = 3.0
"""The shortest outage: long enough for several calls, if instances made them."""

AFTER_SECONDS = 5.0


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

    with deployment.instances(1) as targets:
        async with under_load(targets, posts(targets[0], USERS), RATE) as sent:
            await asyncio.sleep(WARM_UP_SECONDS + BEFORE_SECONDS)
            began = perf_counter()
            await asyncio.to_thread(take_away)
            await asyncio.sleep(gone_seconds)
            await asyncio.to_thread(give_back)
            ended = perf_counter()
            on_tick(0.5)
            await asyncio.sleep(AFTER_SECONDS)
    found_out = began + DISCOVERY_SECONDS
    at_first = [s for s in sent if s.planned_at + s.seconds >= began and s.planned_at < found_out]
    later = [s for s in sent if found_out <= s.planned_at < ended]
    ranked = [s.planned_at + s.seconds for s in sent if s.planned_at >= ended and has_rank(s)]
    if not ranked:
        raise TimeoutError(f"no rank is known {AFTER_SECONDS:g} s after Redis is back")
    return {
        "longest_ms": 1_000 * max(s.seconds for s in at_first),
        **latencies([s.seconds for s in later]),
        "ranked_again_s": min(ranked) - ended,
        "other_answers": others(sent, 201),
    }
