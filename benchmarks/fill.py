"""Fill an empty Redis while scores are submitted and boards are read."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from time import perf_counter

from benchmarks.client import Sent, at_rate
from benchmarks.deployment import BOARD, Deployment
from benchmarks.measuring import connected, has_rank, latencies, others
from benchmarks.options import Figures, OnTick, ignore_tick
from benchmarks.seed import best, name, user_id
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


@dataclass(frozen=True, slots=True)
class Fill:
    """The record of a fill. Times are those of `perf_counter`."""

    started_at: float
    ready_at: float
    """When all instances responded."""
    filled_at: float
    sent: Sequence[Sent]
    seen: Sequence[Sequence[Sent]]
    """The boards that each instance returned, in order."""

    def figures(self, players: int) -> Figures:
        updates = [s.seconds for s in self.sent if s.planned_at < self.filled_at]
        ranked = [s.planned_at + s.seconds for s in self.sent if has_rank(s)]
        shown = [[s for s in of_instance if s.status == 200] for of_instance in self.seen]
        read = [s.seconds for of_instance in shown for s in of_instance if s.planned_at < self.filled_at]
        return {
            "players": players,
            "ready_s": self.ready_at - self.started_at,
            "fill_s": self.filled_at - self.started_at,
            "ranked_s": min(ranked) - self.started_at,
            "update_p95_ms": latencies(updates)["p95_ms"],
            "board_p95_ms": latencies(read)["p95_ms"],
            "went_back": sum(map(_times_back, shown)),
            "other_answers": others(self.sent, 201)
            + sum(others(of_instance, 200) for of_instance in self.seen),
        }


def _times_back(shown: Sequence[Sent]) -> int:
    """Return how often an instance returned an older board than before."""
    versions = [json.loads(sent.body)["version"] for sent in shown]
    return sum(version < before for before, version in pairwise(versions))


async def fill(deployment: Deployment, targets: Sequence[Target], players: int, on_tick: OnTick) -> Fill:
    """Record from the start of the instances, which have just started, until some time after the fill."""
    enough = False
    ready_at = perf_counter()

    async def shown_by(target: Target) -> list[Sent]:
        # A single connection receives the boards in the order in which they were built.
        async with connected([target], 1) as connections:
            request = cycle([target.get("/api/leaderboard")])
            return await at_rate(connections, request, BOARDS_A_SECOND, LIMIT_SECONDS, enough=lambda: enough)

    async with asyncio.TaskGroup() as group, connected(targets) as connections:
        requests = cycle(_posts(targets[0], players))
        sending = group.create_task(
            at_rate(connections, requests, UPDATES_A_SECOND, LIMIT_SECONDS, enough=lambda: enough)
        )
        showing = [group.create_task(shown_by(target)) for target in targets]
        await until_filled(deployment, players, on_tick)
        filled_at = perf_counter()
        await asyncio.sleep(AFTER_SECONDS)
        enough = True
        sent = await sending
    return Fill(targets[0].started_at, ready_at, filled_at, sent, [task.result() for task in showing])


async def until_filled(deployment: Deployment, players: int, on_tick: OnTick = ignore_tick) -> None:
    async with asyncio.timeout(LIMIT_SECONDS), deployment.ranking() as ranking:
        while True:
            try:
                progress = await ranking.copy_state(BOARD)
            except RankingUnavailable:
                progress = None
            if progress is not None:
                if progress.readable:
                    return
                on_tick(min(1.0, progress.version / players))
            await asyncio.sleep(ASK_AGAIN_SECONDS)


def _posts(target: Target, players: int) -> list[bytes]:
    spread = range(1, players + 1, max(1, players // ANYBODY))
    known = {*best(players, LEADERS), *spread}
    return [
        *(target.post(user_id(player), name(player)) for player in known),
        *(target.post(f"newcomer-{number}") for number in range(NEWCOMERS)),
    ]
