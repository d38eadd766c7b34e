"""Questions about players and ranks of a large board, one kind after the other at a fixed rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.measuring import steady
from benchmarks.options import Figures
from benchmarks.seed import Seed
from benchmarks.target import Target
from scoreboard.web.cursors import encode_cursor

DIFFERENT = 500
"""The number of players and of sets that are asked for: each answer is for another one."""

SET = 100


def questions(seed: Seed, period: str) -> Mapping[str, Sequence[str]]:
    """Return the paths of each kind of question, about random players."""
    random = Random(1)

    def path(end: str) -> str:
        return f"/api/leaderboard{end}&period={period}"

    def players(count: int = DIFFERENT) -> list[int]:
        return [random.randint(1, seed.players) for _ in range(count)]

    def ids(count: int) -> str:
        return ",".join({seed.to_id(player) for player in players(count)})

    return {
        "top": [path("?limit=10")],
        "page": [path(f"?limit=100&offset={seed.players // 2}")],
        "rank": [path(f"/rank?userId={seed.to_id(player)}") for player in players()],
        "around": [path(f"?around={seed.to_id(player)}&limit=11") for player in players()],
        "set": [path(f"?userIds={ids(SET)}") for _ in range(DIFFERENT)],
        "cursor": [path(f"?limit=100&cursor={encode_cursor(seed.position(player))}") for player in players()],
        "cutoffs": [path(f"/cutoffs?ranks=1,10,100,{rank}&percent=1,10") for rank in players()],
    }


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each kind of question is asked, and for how long."""

    rate: float
    seconds: float


async def ask(
    targets: Sequence[Target], seed: Seed, pace: Pace, period: str = "all", prefix: str = ""
) -> Figures:
    """Ask each kind of question. Return the latencies by kind."""
    figures: Figures = {}
    others = 0.0
    for kind, paths in questions(seed, period).items():
        asked = await steady(
            targets, [targets[0].get(path) for path in paths], pace.seconds, 200, rate=pace.rate
        )
        figures |= {f"{prefix}{kind}_{p}_ms": asked[f"{p}_ms"] for p in ("p50", "p95")}
        others += asked["other_answers"]
    return {**figures, f"{prefix}other_answers": others}
