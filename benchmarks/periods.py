"""Score updates of boards with a day, a week and a month, against boards with all time alone, in turns.

64 connections and 500 users, in both deployments. Each round begins with an empty database.
"""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.catalogs import WITH_PERIODS, catalog
from benchmarks.deployment import deployed
from benchmarks.measuring import USERS, compare, flood, in_turns, posts
from benchmarks.options import Figures, OnTick, Options
from benchmarks.target import Target
from scoreboard.domain.definitions import SUM_DESCENDING

Settings = Mapping[str, str]
MeasureBoards = Callable[[Settings, OnTick], Coroutine[Any, Any, Figures]]


async def periods(options: Options, on_tick: OnTick) -> Figures:
    """Measure one process on SQLite."""

    async def measure(settings: Settings, tick: OnTick) -> Figures:
        with Target(settings) as target:
            return await flood([target], posts(target, USERS), options.seconds, 201, tick)

    return await _in_turns(measure, options, on_tick)


async def distributed_periods(options: Options, on_tick: OnTick) -> Figures:
    """Measure one instance on PostgreSQL and Redis."""
    with deployed() as deployment:

        async def measure(settings: Settings, tick: OnTick) -> Figures:
            with deployment.emptied(settings) as own, own.instances(1) as targets:
                return await flood(targets, posts(targets[0], USERS), options.seconds, 201, tick)

        return await _in_turns(measure, options, on_tick)


async def _in_turns(measure: MeasureBoards, options: Options, on_tick: OnTick) -> Figures:
    definitions = {"periods": WITH_PERIODS, "all_alone": SUM_DESCENDING}
    with ExitStack() as stack:
        measures = {
            name: partial(measure, stack.enter_context(catalog(definition)))
            for name, definition in definitions.items()
        }
        return compare(await in_turns(measures, options.rounds, on_tick))
