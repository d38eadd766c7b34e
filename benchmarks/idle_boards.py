"""A thousand boards with a day, a week and a month, on which nothing happens."""

import asyncio
from collections.abc import Mapping
from itertools import cycle

from benchmarks.catalogs import WITH_PERIODS, catalog
from benchmarks.client import at_rate
from benchmarks.deployment import Deployment, deployed
from benchmarks.machine import cpu_seconds
from benchmarks.measuring import connected, others
from benchmarks.options import Figures, OnTick, Options
from benchmarks.target import Target

BOARDS: Mapping[str, str] = {f"action-{number}": f"board-{number}" for number in range(1_000)}
"""The board of each action."""

FIRST_EVENTS_A_SECOND = 100
SETTLE_SECONDS = 5.0


async def idle_boards(options: Options, _on_tick: OnTick) -> Figures:
    """Measure the CPU time of one process on SQLite."""
    with catalog(WITH_PERIODS, BOARDS) as settings, Target(settings) as target:
        return await _idle(target, options)


async def distributed_idle_boards(options: Options, _on_tick: OnTick) -> Figures:
    """Measure one instance on PostgreSQL and Redis, and count its statements and commands."""
    with (
        catalog(WITH_PERIODS, BOARDS) as settings,
        deployed(further=settings, log_statement="all") as deployment,
        deployment.instances(1) as (target,),
    ):
        return await _idle(target, options, deployment)


async def _idle(target: Target, options: Options, deployment: Deployment | None = None) -> Figures:
    """Submit a score to each board, and then nothing. A board without events would have no periods."""
    requests = [target.post(f"user-of-{action}", action=action) for action in BOARDS]
    async with connected([target]) as connections:
        seconds = len(requests) / FIRST_EVENTS_A_SECOND
        sent = await at_rate(connections, cycle(requests), FIRST_EVENTS_A_SECOND, seconds)
    await asyncio.sleep(SETTLE_SECONDS)
    before, used = _calls(deployment), cpu_seconds(target.pid)
    await asyncio.sleep(options.seconds)
    used = cpu_seconds(target.pid) - used
    figures = {"boards": float(len(BOARDS)), "cpu_percent": 100 * used / options.seconds}
    calls = {name: (number - before[name]) / options.seconds for name, number in _calls(deployment).items()}
    return {**figures, **calls, "other_answers": others(sent, 201)}


def _calls(deployment: Deployment | None) -> Figures:
    """Return the statements of PostgreSQL and the commands of Redis so far."""
    if deployment is None:
        return {}
    lines = deployment.database.log_lines()
    statements = [line for line in lines if "LOG:  execute " in line or "LOG:  statement: " in line]
    with deployment.redis.client() as client:
        commands = client.info("stats")["total_commands_processed"]
    return {"statements_a_second": len(statements), "redis_commands_a_second": float(commands)}
