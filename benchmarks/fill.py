"""The fill of an empty Redis, while scores come in and boards are read."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

from benchmarks import boards
from benchmarks.client import Sent, at_rate
from benchmarks.deployment import BOARD, Deployment
from benchmarks.measuring import connected, latencies, others
from benchmarks.options import Figures, OnTick
from benchmarks.seed_postgresql import best, name, user_id
from benchmarks.target import Target
from scoreboard.domain.errors import RankingUnavailable

UPDATES_A_SECOND = 200
BOARDS_A_SECOND = 5
ASK_AGAIN_SECONDS = 0.1
LIMIT_SECONDS = 300.0
AFTER_SECONDS = 2.0
"""For so long scores go on and boards are read once it is filled: the change from the one source to the other."""

LEADERS = 100
ANYBODY = 300
NEWCOMERS = 100
"""Who scores. A leader's score changes the first ten at once, so that they can be wrong at all."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What happened; times are those of `perf_counter`."""

    started_at: float
    ready_at: float
    """When all instances answered."""
    filled_at: float
    sent: Sequence[Sent]
    seen: Sequence[Sequence[Sent]]
    """The boards that each instance has shown, one after another."""

    def figures(self, deployment: Deployment, players: int) -> Figures:
        """With each board checked against the ledger as it is now."""
        updates = [s.seconds for s in self.sent if s.planned_at < self.filled_at]
        ranked = [s.planned_at + s.seconds for s in self.sent if s.status == 201 and _rank(s) is not None]
        shown = [[s for s in of_instance if s.status == 200] for of_instance in self.seen]
        read = [s.seconds for of_instance in shown for s in of_instance if s.planned_at < self.filled_at]
        return {
            "players": players,
            "ready_s": self.ready_at - self.started_at,
            "fill_s": self.filled_at - self.started_at,
            "ranked_s": min(ranked) - self.started_at,
            "update_p95_ms": latencies(updates)["p95_ms"],
            "board_p95_ms": latencies(read)["p95_ms"],
            "boards_checked": sum(map(len, shown)),
            "wrong_boards": boards.wrong(shown, players, boards.added(deployment.database, players)),
            "other_answers": others(self.sent, 201)
            + sum(others(of_instance, 200) for of_instance in self.seen),
        }


async def fill(deployment: Deployment, targets: Sequence[Target], players: int, on_tick: OnTick) -> Fill:
    """From the start of the instances, which have just come up, until some time after the copy can be read."""
    enough = False
    ready_at = perf_counter()

    async def shown_by(target: Target) -> list[Sent]:
        # On one connection boards come in the order in which they were made.
        async with connected([target], 1) as connections:
            request = cycle([target.get("/api/leaderboard")])
            return await at_rate(
                connections, request, BOARDS_A_SECOND, LIMIT_SECONDS, lambda _: None, enough=lambda: enough
            )

    async with asyncio.TaskGroup() as group, connected(targets) as connections:
        sending = group.create_task(
            at_rate(
                connections,
                cycle(_posts(targets[0], players)),
                UPDATES_A_SECOND,
                LIMIT_SECONDS,
                lambda _: None,
                enough=lambda: enough,
            )
        )
        showing = [group.create_task(shown_by(target)) for target in targets]
        await until_filled(deployment, players, on_tick)
        filled_at = perf_counter()
        await asyncio.sleep(AFTER_SECONDS)
        enough = True
        sent = await sending
    return Fill(targets[0].started_at, ready_at, filled_at, sent, [task.result() for task in showing])


async def until_filled(deployment: Deployment, players: int, on_tick: OnTick) -> None:
    async with asyncio.timeout(LIMIT_SECONDS), deployment.ranking() as ranking:
        while True:
            try:
                progress = await ranking.progress(BOARD)
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


def _rank(sent: Sent) -> int | None:
    rank: int | None = json.loads(sent.body)["rank"]
    return rank
