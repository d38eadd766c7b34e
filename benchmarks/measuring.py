"""How a server is measured, as fast as it can or at a steady rate; and the figures that come of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, cycle

from benchmarks.client import Answers, Connection, Sent, as_fast_as_possible, at_rate, connect
from benchmarks.options import Figures, OnTick
from benchmarks.target import Target
from scoreboard.cli.latency import percentile

CONNECTIONS = 64
USERS = 500
WARM_UP_SECONDS = 1.0


def latencies(seconds: Sequence[float]) -> Figures:
    return {f"p{percent}_ms": 1_000 * percentile(seconds, percent) for percent in (50, 95, 99)}


def posts(target: Target, users: int) -> list[bytes]:
    """One score of each of so many users."""
    return [target.post(f"user-{number}") for number in range(users)]


@asynccontextmanager
async def connected(targets: Sequence[Target], count: int = CONNECTIONS) -> AsyncIterator[list[Connection]]:
    """So many connections in all, the instances in turn."""
    shares = [await connect(target.host, target.port, count // len(targets)) for target in targets]
    connections = list(chain.from_iterable(zip(*shares, strict=True)))
    try:
        yield connections
    finally:
        for connection in connections:
            connection.transport.close()


async def flood(
    targets: Sequence[Target], requests: Sequence[bytes], seconds: float, wanted: int, on_tick: OnTick
) -> Figures:
    """As many requests as the instances take."""
    async with connected(targets) as connections:
        await as_fast_as_possible(connections, cycle(requests), WARM_UP_SECONDS, lambda _: None)
        answers, elapsed = await as_fast_as_possible(connections, cycle(requests), seconds, on_tick)
    return _rates(answers, elapsed, wanted)


async def steady(
    targets: Sequence[Target],
    requests: Sequence[bytes],
    seconds: float,
    wanted: int,
    on_tick: OnTick,
    rate: float = 100,
) -> Figures:
    """So many requests a second, spread over the instances."""
    async with connected(targets) as connections:
        await at_rate(connections, cycle(requests), rate, WARM_UP_SECONDS, lambda _: None)
        sent = await at_rate(connections, cycle(requests), rate, seconds, on_tick)
    return {
        "rate": len(sent) / seconds,
        **latencies([answer.seconds for answer in sent]),
        "other_answers": others(sent, wanted),
    }


def others(sent: Sequence[Sent], wanted: int) -> int:
    """How many answers had another status."""
    return sum(answer.status != wanted for answer in sent)


def _rates(answers: Answers, elapsed: float, wanted: int) -> Figures:
    wrong = len(answers.seconds) - answers.count(wanted)
    return {"rate": answers.count(wanted) / elapsed, **latencies(answers.seconds), "other_answers": wrong}
