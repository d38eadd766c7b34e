"""Fill an empty Redis while scores are submitted and boards are read."""

import asyncio
import json
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from time import perf_counter

from benchmarks.catalogs import BOARD
from benchmarks.client import Sent
from benchmarks.deployment import Deployment
from benchmarks.expected_board import wrong_boards
from benchmarks.measuring import has_rank, latencies, others, under_load
from benchmarks.options import Figures, OnTick, ignore_tick
from benchmarks.seed import Seed, best, name, user_id
from benchmarks.target import Target
from scoreboard.domain.errors import RankingUnavailable

UPDATES_A_SECOND = 200
BOARDS_A_SECOND = 5
ASK_AGAIN_SECONDS = 0.1
LIMIT_SECONDS = 300.0
AFTER_SECONDS = 2.0
"""Scores and reads continue for this time after the fill, to cover the switch between the sources."""

LEADERS = 100
ANYBODY = 300
NEWCOMERS = 100
"""The numbers of players who score. A leader's score changes the top ten."""


async def fill(deployment: Deployment, targets: Sequence[Target], seed: Seed, on_tick: OnTick) -> Figures:
    """Measure from the start of the instances, which have just started, until some time after the fill.

    All views of the board are read from each instance, and compared with the ledger.
    """
    started_at, ready_at = targets[0].started_at, perf_counter()
    periods = ("all", *seed.definition.periods)
    boards = [targets[0].get(f"/api/leaderboard?period={period}") for period in periods]
    async with AsyncExitStack() as stack:
        # A single connection receives the boards in the order in which they were built.
        loads = [under_load([target], [board], BOARDS_A_SECOND, 1) for target in targets for board in boards]
        seen = [await stack.enter_async_context(load) for load in loads]
        scoring = under_load(targets, _posts(targets[0], seed.players), UPDATES_A_SECOND)
        sent = await stack.enter_async_context(scoring)
        await until_filled(deployment, seed.version(seed.players), on_tick)
        filled_at = perf_counter()
        await asyncio.sleep(AFTER_SECONDS)
    reads = [read for of_instance in seen for read in of_instance]
    ranked = [one.planned_at + one.seconds for one in sent if has_rank(one)]
    return {
        "players": seed.players,
        "views": len(periods),
        "ready_s": ready_at - started_at,
        "fill_s": filled_at - started_at,
        "ranked_s": min(ranked, default=math.inf) - started_at,
        "update_p95_ms": _p95_ms_before(filled_at, sent),
        "board_p95_ms": _p95_ms_before(filled_at, reads),
        "boards": len(reads),
        "went_back": sum(map(_times_back, seen)),
        "wrong_boards": wrong_boards(deployment, seed, reads),
        "other_answers": others(sent, 201) + others(reads, 200),
    }


def _p95_ms_before(end: float, sent: Sequence[Sent]) -> float:
    return latencies([one.seconds for one in sent if one.planned_at < end])["p95_ms"]


def _times_back(seen: Sequence[Sent]) -> int:
    """Return how often an instance returned an older board than before."""
    versions = [json.loads(one.body)["version"] for one in seen if one.status == 200]
    return sum(version < before for before, version in pairwise(versions))


async def until_filled(deployment: Deployment, version: int, on_tick: OnTick = ignore_tick) -> None:
    async with asyncio.timeout(LIMIT_SECONDS), deployment.ranking() as ranking:
        while True:
            try:
                progress = await ranking.copy_state(BOARD)
            except RankingUnavailable:
                progress = None
            if progress is not None:
                if progress.readable:
                    return
                on_tick(min(1.0, progress.version / version))
            await asyncio.sleep(ASK_AGAIN_SECONDS)


def _posts(target: Target, players: int) -> list[bytes]:
    spread = range(1, players + 1, max(1, players // ANYBODY))
    known = {*best(players, LEADERS), *spread}
    return [
        *(target.post(user_id(player), name(player)) for player in known),
        *(target.post(f"newcomer-{number}") for number in range(NEWCOMERS)),
    ]
