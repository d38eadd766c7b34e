"""All that is measured, by name."""

from collections.abc import Mapping
from itertools import chain

from benchmarks.costs import costs
from benchmarks.crowded import (
    fanout_busy,
    fanout_delta,
    fanout_largest,
    fanout_most,
    fanout_reconnect,
    fanout_stalled,
    fanout_stop,
)
from benchmarks.distributed import (
    distributed_latency,
    distributed_slow_flush,
    distributed_streams,
    distributed_updates,
)
from benchmarks.embedded import (
    limit_cost,
    log_cost,
    read_latency,
    reads,
    refused,
    start,
    streams,
    update_latency,
    updates,
)
from benchmarks.fanout import fanout
from benchmarks.many_players import many_players
from benchmarks.options import Figures, OnTick, Options, Scenario, Scenarios
from benchmarks.outage import redis_silent
from benchmarks.page import page, page_recovery
from benchmarks.rolling_deploy import PROMISED_AT_MOST, rolling_deploy

ALONE: Mapping[str, Scenario] = {
    "updates": updates,
    "limit-cost": limit_cost,
    "log-cost": log_cost,
    "refused": refused,
    "update-latency": update_latency,
    "reads": reads,
    "read-latency": read_latency,
    "streams": streams,
    "start": start,
    "fanout": fanout,
    "fanout-largest": fanout_largest,
    "fanout-delta": fanout_delta,
    "fanout-busy": fanout_busy,
    "fanout-most": fanout_most,
    "fanout-stalled": fanout_stalled,
    "fanout-reconnect": fanout_reconnect,
    "fanout-stop": fanout_stop,
    "page": page,
    "page-recovery": page_recovery,
    "distributed-updates": distributed_updates,
    "distributed-latency": distributed_latency,
    "distributed-slow-flush": distributed_slow_flush,
    "distributed-streams": distributed_streams,
    "redis-silent": redis_silent,
    "costs": costs,
    "rolling-deploy": rolling_deploy,
}

TOGETHER: Mapping[tuple[str, ...], Scenarios] = {
    ("distributed-fill", "distributed-reads", "distributed-memory"): many_players,
}

PROMISED: Mapping[str, Figures] = {"rolling-deploy": PROMISED_AT_MOST}
"""What figures may be at most, whether or not anybody asks: the tool fails where one is more."""

NAMES = (*ALONE, *chain(*TOGETHER))


async def run(name: str, options: Options, on_tick: OnTick) -> Mapping[str, Figures]:
    """The figures of a scenario, and of those that are measured with it."""
    if name in ALONE:
        return {name: await ALONE[name](options, on_tick)}
    return await next(scenarios for names, scenarios in TOGETHER.items() if name in names)(options, on_tick)
