"""The distributed deployment: instances on one PostgreSQL, which flushes each commit, and one Redis."""

import asyncio
from collections import defaultdict
from itertools import chain, cycle
from statistics import median

from benchmarks.client import at_rate
from benchmarks.deployment import deployed
from benchmarks.machine import fdatasync_us
from benchmarks.measuring import USERS, connected, flood, latencies, posts, steady
from benchmarks.options import Figures, OnTick, Options
from benchmarks.slow_flush import flush_ms, slow_flush
from benchmarks.streams import DRAIN_SECONDS, delays, open_streams

SLOW_FLUSH_INSTANCES = 4
SLOW_FLUSH_RATE = 1_000


async def distributed_updates(options: Options, on_tick: OnTick) -> Figures:
    """Durable score updates, as many as possible: one instance and two with the same load split, in turns.

    64 connections and 500 users, who all come to both instances. The figures are medians over the turns.
    """
    measured: dict[int, list[Figures]] = defaultdict(list)
    with deployed() as deployment:
        turns = [1 + number % 2 for number in range(2 * options.rounds)]
        for turn, count in enumerate(turns):

            def tick(part: float, turn: int = turn) -> None:
                on_tick((turn + part) / len(turns))

            with deployment.instances(count) as targets:
                figures = await flood(targets, posts(targets[0], USERS), options.seconds / 2, 201, tick)
                measured[count].append(figures)
        flush_us = fdatasync_us(deployment.database.programs)
    one, two = _medians(measured[1]), _medians(measured[2])
    others = sum(figures["other_answers"] for figures in chain(*measured.values()))
    return {
        **one,
        "rate_of_two": two["rate"],
        "ratio_of_two": two["rate"] / one["rate"] if one["rate"] else 0,
        "p99_of_two_ms": two["p99_ms"],
        "other_answers": others,
        **({} if flush_us is None else {"fdatasync_us": flush_us}),
    }


def _medians(rounds: list[Figures]) -> Figures:
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}


async def distributed_latency(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 a second, on one instance."""
    with deployed() as deployment, deployment.instances(1) as targets:
        return await steady(targets, posts(targets[0], USERS), options.seconds, 201, on_tick)


async def distributed_slow_flush(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 1,000 a second over four instances, on a disk as slow to flush as a cloud's two zones are."""
    with slow_flush() as preloaded, deployed(environment=preloaded) as deployment:
        flush = await flush_ms(deployment.database.url())
        with deployment.instances(SLOW_FLUSH_INSTANCES) as targets:
            requests = posts(targets[0], USERS)
            figures = await steady(targets, requests, options.seconds, 201, on_tick, rate=SLOW_FLUSH_RATE)
    return {**figures, "flush_ms": flush}


async def distributed_streams(options: Options, on_tick: OnTick) -> Figures:
    """Score updates at 100 a second on one instance, open streams on another: until each has the board it made."""
    with deployed() as deployment, deployment.instances(2) as (posted, watched):
        # Ten users: each of their scores changes the top ten, so each must reach every stream.
        requests = posts(posted, 10)
        async with connected([posted]) as connections:
            await at_rate(connections, cycle(requests), 100, 0.5, lambda _: None)
            watching = await open_streams(watched, options.streams)
            sent = await at_rate(connections, cycle(requests), 100, options.seconds, on_tick)
        await asyncio.sleep(DRAIN_SECONDS)
        taken, lost = delays(watching, sent)
        each, last = latencies(list(chain(*taken))), latencies([max(of_update) for of_update in taken])
        figures = {
            "streams": sum(stream.is_open for stream in watching),
            "events_a_stream": sum(len(stream.arrivals) for stream in watching) / len(watching),
            "post_p95_ms": latencies([answer.seconds for answer in sent])["p95_ms"],
            **each,
            **{f"last_{name}": value for name, value in last.items()},
            "not_delivered": lost,
        }
        for stream in watching:
            stream.transport.close()
        return figures
