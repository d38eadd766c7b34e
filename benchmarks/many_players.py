"""A million players: the fill of an empty Redis, reads of the full one, and its memory per player.

The three scenarios share one database, because filling it takes most of the time.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from itertools import cycle
from random import Random
from time import perf_counter

from benchmarks.client import at_rate
from benchmarks.deployment import BOARD, Deployment, deployed
from benchmarks.fill import fill
from benchmarks.measuring import connected, latencies, posts, steady
from benchmarks.options import Figures, OnTick, Options
from benchmarks.seed import name, seed_postgresql, standing, user_id
from benchmarks.target import Target
from scoreboard.domain.standings import Change, ChangeKind
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.services.apply import PAGE_SIZE

WRITES_A_SECOND = 10
PLACES_A_SECOND = 100
PART = 10
"""Memory is also measured with a tenth of the players, to separate the fixed part from the rest."""


async def many_players(options: Options, on_tick: OnTick) -> Mapping[str, Figures]:
    """Run all three. Return the figures by scenario."""
    players = options.players
    with deployed() as deployment:
        await seed_postgresql(deployment.database.url(), players, lambda part: on_tick(0.25 * part))
        few = max(1, players // PART)
        bytes_of_few = await _bytes_of(deployment, few)
        before = deployment.redis_bytes()
        with deployment.instances(2) as targets:
            filled = await fill(deployment, targets, players, lambda part: on_tick(0.3 + 0.2 * part))
            bytes_of_all = deployment.redis_bytes() - before
            reads = await _reads(deployment, targets, options, lambda part: on_tick(0.5 + 0.2 * part))
            is_clean = await asyncio.to_thread(_verify, deployment)
            on_tick(0.95)
            figures = await asyncio.to_thread(filled.figures, deployment, players)
    return {
        "distributed-fill": {**figures, "verify_clean": is_clean},
        "distributed-reads": reads,
        "distributed-memory": _memory({few: bytes_of_few, players: bytes_of_all}),
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
    enough = False
    async with asyncio.TaskGroup() as group, connected(targets, 4) as writers:
        requests = cycle(posts(targets[0], 20))
        writing = group.create_task(
            at_rate(writers, requests, WRITES_A_SECOND, 4 * options.seconds, enough=lambda: enough)
        )
        figures["other_answers"] = 0
        for what, path in paths.items():
            read = await steady(targets, [targets[0].get(path)], seconds, 200)
            figures |= {f"{what}_p50_ms": read["p50_ms"], f"{what}_p95_ms": read["p95_ms"]}
            figures["other_answers"] += read["other_answers"]
        places = latencies(await _places(deployment, options.players, seconds))
        figures |= {"place_p50_ms": places["p50_ms"], "place_p95_ms": places["p95_ms"]}
        enough = True
        await writing
    on_tick(1)
    return figures


async def _places(deployment: Deployment, players: int, seconds: float) -> list[float]:
    """Return how long the ranking driver takes for the rank of random players."""
    random = Random(1)
    taken = []
    async with deployment.ranking() as ranking:
        await ranking.rank(BOARD, 1)
        started = perf_counter()
        for number in range(round(seconds * PLACES_A_SECOND)):
            planned_at = started + number / PLACES_A_SECOND
            await asyncio.sleep(max(0.0, planned_at - perf_counter()))
            assert await ranking.rank(BOARD, random.randint(1, players)) is not None
            taken.append(perf_counter() - planned_at)
    return taken


async def _bytes_of(deployment: Deployment, players: int) -> int:
    """Return the bytes that the players take in Redis. The driver writes them, and they are removed again."""
    async with deployment.ranking() as ranking:
        # The first writes load the scripts and allocate buffers, which must not count.
        await _put(ranking, range(1, PAGE_SIZE + 1))
        deployment.redis.flush()
        before = deployment.redis_bytes()
        await _put(ranking, range(1, players + 1))
        taken = deployment.redis_bytes() - before
    deployment.redis.flush()
    return taken


async def _put(ranking: RedisRanking, players: range) -> None:
    for first in players[::PAGE_SIZE]:
        standings = tuple(map(standing, players[first - 1 : first - 1 + PAGE_SIZE]))
        last = standings[-1]
        kind = ChangeKind.LAST_PAGE if last.player == players[-1] else ChangeKind.PAGE
        await ranking.apply(Change(BOARD, kind, first - 1, last.version, last.reached_at_us, standings))


def _memory(bytes_of: Mapping[int, int]) -> Figures:
    """Return the bytes per player for both counts, and the line through them: bytes = fixed + players ×
    slope.

    Redis keeps the id and name of each player. The slope without their bytes applies to ids of any length.
    """
    (few, bytes_of_few), (many, bytes_of_many) = bytes_of.items()
    slope = (bytes_of_many - bytes_of_few) / (many - few)
    text = sum(len(user_id(player)) + len(name(player)) for player in (1, few, many)) / 3
    return {
        "bytes_a_player": max(count_bytes / count for count, count_bytes in bytes_of.items()),
        f"bytes_a_player_of_{few}": bytes_of_few / few,
        f"bytes_a_player_of_{many}": bytes_of_many / many,
        "slope_bytes": slope,
        "slope_beyond_text_bytes": slope - text,
        "fixed_bytes": bytes_of_few - few * slope,
    }
