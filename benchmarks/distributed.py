"""Scenarios of the distributed deployment: instances on PostgreSQL with flushed commits, and on Redis."""

from collections.abc import Sequence
from functools import partial

from benchmarks.crowded import reach_of_scores
from benchmarks.deployment import deployed
from benchmarks.measuring import USERS, compare, flood, in_turns, medians, posts, ratio, steady
from benchmarks.options import Figures, OnTick, Options
from benchmarks.slow_flush import flush_ms, slow_flush
from benchmarks.target import COMMAND, programs

SLOW_FLUSH_INSTANCES = 4
SLOW_FLUSH_RATE = 1_000


async def distributed_updates(options: Options, on_tick: OnTick) -> Figures:
    """Durable score updates as fast as possible on one instance and on two with the same load, in turns.

    64 connections and 500 users, who all use both instances. Each round begins with an empty database. The
    figures are medians of the rounds. `--against` adds rounds of one instance of another checkout.
    """
    with deployed() as deployment:

        async def measure(count: int, program: Sequence[str], tick: OnTick) -> Figures:
            with deployment.emptied(program=program) as own, own.instances(count) as targets:
                return await flood(targets, posts(targets[0], USERS), options.seconds / 2, 201, tick)

        of_one = programs(options.against)
        measures = {name: partial(measure, 1, program) for name, program in of_one.items()}
        measures["two"] = partial(measure, 2, COMMAND)
        rounds = await in_turns(measures, options.rounds, on_tick)
    two = rounds.pop("two")
    figures, of_two = compare(rounds), medians(two)
    figures["other_answers"] += sum(each["other_answers"] for each in two)
    return {
        **figures,
        "rate_of_two": of_two["rate"],
        "ratio_of_two": ratio(two, rounds["this"]),
        "p99_of_two_ms": of_two["p99_ms"],
    }


async def distributed_latency(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 per second on one instance."""
    with deployed() as deployment, deployment.instances(1) as targets:
        return await steady(targets, posts(targets[0], USERS), options.seconds, 201, on_tick)


async def distributed_slow_flush(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 1,000 per second on four instances, on a disk that flushes as slowly as two zones."""
    with slow_flush() as preloaded, deployed(environment=preloaded) as deployment:
        flush = await flush_ms(deployment.database.url())
        with deployment.instances(SLOW_FLUSH_INSTANCES) as targets:
            requests = posts(targets[0], USERS)
            figures = await steady(targets, requests, options.seconds, 201, on_tick, rate=SLOW_FLUSH_RATE)
    return {**figures, "flush_ms": flush}


async def distributed_streams(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 per second on one instance, streams on another: the delay of each board."""
    with deployed() as deployment, deployment.instances(2) as (posted, watched):
        return await reach_of_scores(posted, watched, options, on_tick)
