"""All scenarios, by name."""

from collections.abc import Mapping

from benchmarks import (
    costs,
    crowded,
    distributed,
    embedded,
    fanout,
    idle_boards,
    many_players,
    outage,
    page,
    periods,
    rolling_deploy,
    rollover,
)
from benchmarks.options import Figures, OnTick, Options, Scenario

ALONE: Mapping[str, Scenario] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        embedded.updates,
        embedded.refused,
        embedded.update_latency,
        embedded.reads,
        embedded.read_latency,
        embedded.streams,
        embedded.start,
        many_players.many_reads,
        periods.periods,
        rollover.rollover,
        idle_boards.idle_boards,
        fanout.fanout,
        crowded.fanout_busy,
        crowded.fanout_reconnect,
        crowded.fanout_stop,
        page.page,
        distributed.distributed_updates,
        distributed.distributed_latency,
        distributed.distributed_slow_flush,
        distributed.distributed_streams,
        periods.distributed_periods,
        rollover.distributed_rollover,
        idle_boards.distributed_idle_boards,
        outage.redis_silent,
        costs.costs,
        rolling_deploy.rolling_deploy,
    )
}

OF_MANY_PLAYERS = ("distributed-fill", "distributed-reads")
"""Scenarios that share a database and are measured together."""

PROMISED: Mapping[str, Figures] = {"rolling-deploy": rolling_deploy.PROMISED_AT_MOST}
"""Upper bounds that always apply: the command fails if a figure exceeds its bound."""

NAMES = (*ALONE, *OF_MANY_PLAYERS)


async def run(name: str, options: Options, on_tick: OnTick) -> Mapping[str, Figures]:
    """Run a scenario. Return its figures, and those of scenarios that are measured with it."""
    if name in OF_MANY_PLAYERS:
        return await many_players.many_players(options, on_tick)
    return {name: await ALONE[name](options, on_tick)}
