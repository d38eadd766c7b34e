"""The unit costs that docs/scaling.md calculates with: a stream, a frame, an update, a player.

CPU time is what the kernel counts for the processes, so other programs disturb it little.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from itertools import cycle

from benchmarks.client import at_rate
from benchmarks.contenders import HOST, STREAM, scoreboard
from benchmarks.costs_of_partners import database_bytes, ledger_bytes, of_partners, redis_bytes
from benchmarks.crowd import crowd
from benchmarks.deployment import Deployment, deployed
from benchmarks.fanout import measured
from benchmarks.fill import until_filled
from benchmarks.machine import cpu_seconds
from benchmarks.measuring import connected, flood
from benchmarks.options import Figures, OnTick, Options
from benchmarks.seed import Seed, best, name, seed_postgresql, user_id
from benchmarks.target import Target
from tests.servers.process import children_of

PLAYERS = 100_000
SCORERS = 5_000
"""Spread over all players, so that the rows of updates are as far apart as in production."""

EVENTS = 10
RATE = 100
IDLE_SECONDS = 3.0

MEASURED = (
    "frame_bytes", "patch_bytes", "cpu_us_a_frame", "cpu_us_a_patch", "cpu_us_an_opening", "stream_kb",
    "stream_kernel_kb", "instance_mb", "instance_us_a_change", "instance_us_a_turn", "instance_us_an_update",
    "turn_ms", "turn_us_an_update", "postgres_us_a_turn", "postgres_us_an_update", "postgres_us_a_look",
    "redis_us_a_turn", "redis_us_an_update", "redis_us_a_board", "redis_bytes_a_place", "redis_bytes_a_name",
    "player_bytes", "event_bytes", "log_bytes_an_update",
)  # fmt: skip
"""The figures of `costs`, in the order of docs/scaling.md."""


async def costs(options: Options, on_tick: OnTick) -> Figures:
    """Measure every unit cost. Takes about two minutes."""
    watching = await _of_streams(options, lambda part: on_tick(0.3 * part))
    scoring = await _of_scores(options, lambda part: on_tick(0.3 + 0.7 * part))
    found = watching | scoring
    return {figure: found[figure] for figure in MEASURED}


async def _of_streams(options: Options, on_tick: OnTick) -> Figures:
    """Measure the embedded deployment: both deployments write to streams in the same way."""
    found: Figures = {}
    for what, query in {"patch": "?delta=1", "frame": ""}.items():
        async with scoreboard(path=f"{STREAM}{query}") as contender:
            figures, _ = await measured(contender, options.crowd, EVENTS)
        found |= {f"{what}_bytes": figures["bytes_an_event"], f"cpu_us_a_{what}": figures["cpu_us_an_event"]}
        on_tick(0.5 if query else 1)
    return found | {
        "cpu_us_an_opening": figures["cpu_us_an_opening"],
        "stream_kb": figures["kb_a_stream"],
        "stream_kernel_kb": figures["kernel_kb_a_stream"],
    }


async def _of_scores(options: Options, on_tick: OnTick) -> Figures:
    with deployed() as deployment:
        await seed_postgresql(deployment.url, Seed(PLAYERS), lambda part: on_tick(0.1 * part))
        database = database_bytes(deployment)
        found: Figures = {"player_bytes": (database["players"] + database["standings"]) / PLAYERS}
        with deployment.instances(2) as (posted, watched):
            await until_filled(deployment, PLAYERS)
            place, name_bytes = redis_bytes(deployment)
            found |= {"redis_bytes_a_place": place / PLAYERS, "redis_bytes_a_name": name_bytes / PLAYERS}
            found["instance_mb"] = watched.resident_bytes() / 1e6
            on_tick(0.3)
            found |= await _one_by_one(deployment, posted, watched, options)
            on_tick(0.5)
            found |= await _many(deployment, posted, options, lambda part: on_tick(0.5 + 0.3 * part))
        # The cost of an update that has a batch for itself, minus the cost of one among many.
        found["instance_us_a_turn"] = found.pop("alone_us_an_update") - found["instance_us_an_update"]
        found |= await of_partners(deployment, _CpuTime(deployment).used, scorers())
    return found


def scorers() -> list[int]:
    return list(range(1, PLAYERS + 1, PLAYERS // SCORERS))


class _CpuTime:
    """The CPU time that the processes of a deployment have used."""

    def __init__(self, deployment: Deployment, **instances: Target) -> None:
        self._postgres = deployment.database.pid
        self._others = {"redis": deployment.redis.pid}
        self._others |= {what: instance.pid for what, instance in instances.items()}

    def used(self) -> Mapping[str, float]:
        """Return seconds by component."""
        postgres = 0.0
        for pid in (self._postgres, *children_of(self._postgres)):
            with suppress(OSError):  # autovacuum workers exit at any time
                postgres += cpu_seconds(pid)
        return {"postgres": postgres, **{what: cpu_seconds(pid) for what, pid in self._others.items()}}


async def _one_by_one(deployment: Deployment, posted: Target, watched: Target, options: Options) -> Figures:
    """Submit 100 scores per second to one instance, each in its own batch, with a stream on another."""
    cpu = _CpuTime(deployment, posted=posted, watched=watched)
    before = cpu.used()
    await asyncio.sleep(IDLE_SECONDS)
    idle = {what: (used - before[what]) / IDLE_SECONDS for what, used in cpu.used().items()}
    async with crowd(HOST, watched.port, STREAM) as watching, connected([posted], 8) as connections:
        await watching.open(1)
        # The top ten players: each of their scores changes the board that is shown.
        requests = cycle([posted.post(user_id(player), name(player)) for player in best(PLAYERS, 10)])
        await at_rate(connections, requests, RATE, 0.5)
        before = cpu.used()
        seconds = min(options.seconds, 5.0)
        sent = await at_rate(connections, requests, RATE, seconds)
        used = {what: now - before[what] - idle[what] * seconds for what, now in cpu.used().items()}
    return {
        "alone_us_an_update": 1e6 * used["posted"] / len(sent),
        "instance_us_a_change": 1e6 * used["watched"] / len(sent),
    }


async def _many(deployment: Deployment, posted: Target, options: Options, on_tick: OnTick) -> Figures:
    """Submit scores of many players as fast as one instance accepts them."""
    cpu = _CpuTime(deployment, posted=posted)
    requests = [posted.post(user_id(player), name(player)) for player in scorers()]
    # The first flood verifies each token once; later requests use the cached result.
    await flood([posted], requests, 2.0, 201)
    log, (rows, _) = _log_bytes(deployment), ledger_bytes(deployment)
    counted, before = _events(deployment), cpu.used()
    await flood([posted], requests, min(options.seconds, 6.0), 201, on_tick)
    used, total = cpu.used()["posted"] - before["posted"], _events(deployment)
    events = total - counted
    rows_now, indexes = ledger_bytes(deployment)
    return {
        "instance_us_an_update": 1e6 * used / events,
        "log_bytes_an_update": (_log_bytes(deployment) - log) / events,
        # Seeded rows have no provenance, so only new rows count. Indexes grow in steps, so their whole size
        # counts.
        "event_bytes": (rows_now - rows) / events + indexes / total,
    }


def _log_bytes(deployment: Deployment) -> int:
    (row,) = deployment.database.sql("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(row[0])


def _events(deployment: Deployment) -> int:
    (row,) = deployment.database.sql("SELECT version FROM boards WHERE id = 'main'")
    return int(row[0])
