"""A million players: the fill of an empty Redis, and reads of the full one.

Both scenarios share one database, because filling it takes most of the time.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from random import Random
from time import perf_counter

from benchmarks.deployment import BOARD, Deployment, deployed
from benchmarks.fill import fill
from benchmarks.measuring import latencies, posts, steady, under_load
from benchmarks.options import Figures, OnTick, Options
from benchmarks.seed import seed_postgresql
from benchmarks.target import Target
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Players

WRITES_A_SECOND = 10
PLACES_A_SECOND = 100


async def many_players(options: Options, on_tick: OnTick) -> Mapping[str, Figures]:
    """Run both. Return the figures by scenario."""
    players = options.players
    with deployed() as deployment:
        await seed_postgresql(deployment.database.url(), players, lambda part: on_tick(0.25 * part))
        with deployment.instances(2) as targets:
            filled = await fill(deployment, targets, players, lambda part: on_tick(0.3 + 0.2 * part))
            reads = await _reads(deployment, targets, options, lambda part: on_tick(0.5 + 0.2 * part))
            is_clean = await asyncio.to_thread(_verify, deployment)
            on_tick(0.95)
    return {
        "distributed-fill": {**filled, "verify_clean": is_clean},
        "distributed-reads": reads,
    }


def _verify(deployment: Deployment) -> bool:
    verified = deployment.run("verify")
    if verified.returncode != 0:
        print(verified.stdout, verified.stderr, file=sys.stderr)
    return verified.returncode == 0


async def _reads(
    deployment: Deployment, targets: Sequence[Target], options: Options, on_tick: OnTick
) -> Figures:
    """Read the top ten, a page in the middle, and a rank, each 100 times per second, next to some writes."""
    paths = {"top": "/api/leaderboard", "page": f"/api/leaderboard?limit=100&offset={options.players // 2}"}
    seconds = options.seconds / 3
    figures: Figures = {"players": options.players}
    async with under_load(targets, posts(targets[0], 20), WRITES_A_SECOND, 4):
        figures["other_answers"] = 0
        for what, path in paths.items():
            read = await steady(targets, [targets[0].get(path)], seconds, 200)
            figures |= {f"{what}_p50_ms": read["p50_ms"], f"{what}_p95_ms": read["p95_ms"]}
            figures["other_answers"] += read["other_answers"]
        places = latencies(await _places(deployment, options.players, seconds))
        figures |= {"place_p50_ms": places["p50_ms"], "place_p95_ms": places["p95_ms"]}
    on_tick(1)
    return figures


async def _places(deployment: Deployment, players: int, seconds: float) -> list[float]:
    """Return how long the ranking driver takes for the rank of random players."""
    random = Random(1)
    taken = []
    async with deployment.ranking() as ranking:
        await ranking.read(BOARD, ALL_TIME, Players((1,)))
        started = perf_counter()
        for number in range(round(seconds * PLACES_A_SECOND)):
            planned_at = started + number / PLACES_A_SECOND
            await asyncio.sleep(max(0.0, planned_at - perf_counter()))
            player = random.randint(1, players)
            assert (await ranking.read(BOARD, ALL_TIME, Players((player,)))).entries
            taken.append(perf_counter() - planned_at)
    return taken
