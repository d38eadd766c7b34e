"""A million players on a board with a day, a week and a month: the fill of an empty Redis, and questions.

Both scenarios of the distributed deployment share one database, because filling it takes most of the time.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.catalogs import WITH_PERIODS, catalog, today_us
from benchmarks.deployment import Deployment, deployed
from benchmarks.embedded import until_ranked
from benchmarks.fill import fill
from benchmarks.measuring import others, posts, under_load
from benchmarks.options import Figures, OnTick, Options
from benchmarks.questions import Pace, ask
from benchmarks.seed import Seed, seed_postgresql, seed_sqlite, short_id
from benchmarks.target import Target

WRITES_A_SECOND = 10
QUESTIONS_A_SECOND = 100


async def many_players(options: Options, on_tick: OnTick) -> Mapping[str, Figures]:
    """Run both. Return the figures by scenario."""
    seed = Seed(options.players, WITH_PERIODS, today_us())
    with catalog(WITH_PERIODS) as settings, deployed(further=settings) as deployment:
        await seed_postgresql(deployment.url, seed, lambda part: on_tick(0.25 * part))
        with deployment.instances(2) as targets:
            filled = await fill(deployment, targets, seed, lambda part: on_tick(0.3 + 0.2 * part))
            reads = await _questions(targets, seed, options)
            on_tick(0.7)
            is_clean = await asyncio.to_thread(_verify, deployment)
            on_tick(0.95)
    return {
        "distributed-fill": {**filled, "verify_clean": is_clean},
        "distributed-reads": reads,
    }


async def many_reads(options: Options, on_tick: OnTick) -> Figures:
    """Ask the same questions of one process on SQLite."""
    seed = Seed(options.players, WITH_PERIODS, today_us(), short_id)
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder, catalog(WITH_PERIODS) as settings:
        path = Path(folder) / "scoreboard.db"
        await asyncio.to_thread(seed_sqlite, path, seed, lambda part: on_tick(0.6 * part))
        with Target({"SCOREBOARD_DATABASE_URL": f"sqlite:///{path}", **settings}) as target:
            await until_ranked(target)
            on_tick(0.7)
            return {
                **await _questions([target], seed, options),
                "resident_mb": target.resident_bytes() / 1_000_000,
            }


def _verify(deployment: Deployment) -> bool:
    verified = deployment.run("verify")
    if verified.returncode != 0:
        print(verified.stdout, verified.stderr, file=sys.stderr)
    return verified.returncode == 0


async def _questions(targets: Sequence[Target], seed: Seed, options: Options) -> Figures:
    """Ask about all time and about the week, next to some writes."""
    pace = Pace(QUESTIONS_A_SECOND, options.seconds / 3)
    async with under_load(targets, posts(targets[0], 20), WRITES_A_SECOND, 4) as sent:
        of_all_time = await ask(targets, seed, pace)
        of_the_week = await ask(targets, seed, pace, "week", "week_")
    return {"players": seed.players, **of_all_time, **of_the_week, "refused_writes": others(sent, 201)}
