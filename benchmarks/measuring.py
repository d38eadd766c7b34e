"""Measure servers at full speed or at a fixed rate, and summarise the answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain, cycle
from statistics import median
from typing import Any

from benchmarks.client import Connection, Sent, as_fast_as_possible, at_rate, connect
from benchmarks.options import Figures, OnTick, ignore_tick
from benchmarks.target import Target
from scoreboard.cli.bench.latency import percentile

CONNECTIONS = 64
USERS = 500
WARM_UP_SECONDS = 1.0
LOAD_SECONDS = 600.0
"""The longest load, if nothing ends it."""

Measure = Callable[[OnTick], Coroutine[Any, Any, Figures]]


def latencies(seconds: Sequence[float], prefix: str = "") -> Figures:
    return {f"{prefix}p{percent}_ms": 1_000 * percentile(seconds, percent) for percent in (50, 95, 99)}


def posts(target: Target, users: int) -> list[bytes]:
    """Return one request per user that submits a score."""
    return [target.post(f"user-{number}") for number in range(users)]


@asynccontextmanager
async def connected(targets: Sequence[Target], count: int = CONNECTIONS) -> AsyncIterator[list[Connection]]:
    """Open connections, spread evenly over the instances, which alternate in the list."""
    shares = [await connect(target.host, target.port, count // len(targets)) for target in targets]
    connections = list(chain.from_iterable(zip(*shares, strict=True)))
    try:
        yield connections
    finally:
        for connection in connections:
            connection.transport.close()


@asynccontextmanager
async def under_load(
    targets: Sequence[Target], requests: Sequence[bytes], rate: float, count: int = CONNECTIONS
) -> AsyncIterator[list[Sent]]:
    """Send requests at a fixed rate during the block. After the block, the list contains the answers."""
    sent: list[Sent] = []
    is_over = False
    async with connected(targets, count) as connections:
        sending = asyncio.create_task(
            at_rate(connections, cycle(requests), rate, LOAD_SECONDS, enough=lambda: is_over)
        )
        try:
            yield sent
        finally:
            is_over = True
            sent += await sending


async def flood(
    targets: Sequence[Target],
    requests: Sequence[bytes],
    seconds: float,
    wanted: int,
    on_tick: OnTick = ignore_tick,
) -> Figures:
    """Send requests as fast as the instances answer."""
    async with connected(targets) as connections:
        await as_fast_as_possible(connections, cycle(requests), WARM_UP_SECONDS)
        answers, elapsed = await as_fast_as_possible(connections, cycle(requests), seconds, on_tick)
    return _figures(answers, elapsed, wanted)


async def steady(
    targets: Sequence[Target],
    requests: Sequence[bytes],
    seconds: float,
    wanted: int,
    on_tick: OnTick = ignore_tick,
    rate: float = 100,
) -> Figures:
    """Send requests at a fixed rate, spread over the instances."""
    # The server closes connections on which nothing comes for some seconds.
    async with connected(targets, min(CONNECTIONS, round(rate))) as connections:
        await at_rate(connections, cycle(requests), rate, WARM_UP_SECONDS)
        sent = await at_rate(connections, cycle(requests), rate, seconds, on_tick)
    return _figures([(one.status, one.seconds) for one in sent], seconds, wanted)


def _figures(answers: Sequence[tuple[int, float]], seconds: float, wanted: int) -> Figures:
    other_answers = sum(status != wanted for status, _ in answers)
    return {
        "rate": (len(answers) - other_answers) / seconds,
        **latencies([taken for _, taken in answers]),
        "other_answers": other_answers,
    }


def others(sent: Sequence[Sent], wanted: int) -> int:
    """Count the responses with another status than the wanted one."""
    return sum(answer.status != wanted for answer in sent)


def has_rank(sent: Sent) -> bool:
    """Return True if the score was accepted and its rank is known."""
    return sent.status == 201 and json.loads(sent.body)["rank"] is not None


async def in_turns(measures: Mapping[str, Measure], rounds: int, on_tick: OnTick) -> dict[str, list[Figures]]:
    """Run each measurement once per round, in turns, so that changes of the machine affect all alike."""
    found: dict[str, list[Figures]] = {name: [] for name in measures}
    turns = list(measures.items()) * rounds
    for turn, (name, measure) in enumerate(turns):

        def tick(part: float, turn: int = turn) -> None:
            on_tick((turn + part) / len(turns))

        found[name].append(await measure(tick))
    return found


def compare(rounds: Mapping[str, Sequence[Figures]]) -> Figures:
    """Return the medians of the first measurement of `in_turns`, and the ratios of its rate to the others."""
    first, *others = rounds
    figures = medians(rounds[first])
    for other in others:
        figures |= {
            f"rate_of_{other}": medians(rounds[other])["rate"],
            f"ratio_to_{other}": ratio(rounds[first], rounds[other]),
        }
    return {**figures, "other_answers": sum(each["other_answers"] for each in chain(*rounds.values()))}


def ratio(rounds: Sequence[Figures], other: Sequence[Figures]) -> float:
    """Return the median of the ratios of each round's rate to that of the other measurement."""
    pairs = zip(rounds, other, strict=True)
    return median(one["rate"] / two["rate"] if two["rate"] else 0 for one, two in pairs)


def medians(rounds: Sequence[Figures]) -> Figures:
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}
