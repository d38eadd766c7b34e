"""What a unit of each part costs: a stream, a frame, an update, a player. docs/scaling.md reckons with these.

Processor time is what the kernel counts for the processes, so other programs on the machine disturb it little. Only
`suspects_ms` is of the wall clock.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from itertools import cycle

from benchmarks.client import at_rate
from benchmarks.contenders import scoreboard
from benchmarks.costs_of_partners import database_bytes, ledger_bytes, of_messages, of_partners, redis_bytes
from benchmarks.crowd import crowd
from benchmarks.deployment import Deployment, deployed
from benchmarks.fanout import HOST, SETTLE_SECONDS, one_by_one
from benchmarks.fill import until_filled
from benchmarks.machine import cpu_seconds, kernel_bytes, resident_bytes
from benchmarks.measuring import connected, flood
from benchmarks.options import Figures, OnTick, Options
from benchmarks.seed_postgresql import best, name, seed, user_id
from benchmarks.streams import open_streams
from benchmarks.target import Target
from tests.servers.process import children_of

PLAYERS = 100_000
SCORERS = 5_000
"""Of those, spread over all: so an update finds its rows in as many places as it would."""

EVENTS = 10
RATE = 100
IDLE_SECONDS = 3.0

MEASURED = (
    "frame_bytes", "patch_bytes", "cpu_us_a_frame", "cpu_us_a_patch", "cpu_us_an_opening", "stream_kb",
    "stream_kernel_kb", "instance_mb", "instance_us_a_change", "instance_us_a_turn", "instance_us_an_update", "turn_ms",
    "turn_us_an_update", "postgres_us_a_turn", "postgres_us_an_update", "postgres_us_a_look", "redis_us_a_turn",
    "redis_us_an_update", "redis_us_a_board", "redis_us_a_message", "redis_bytes_a_place", "redis_bytes_a_name",
    "player_bytes", "event_bytes", "log_bytes_an_update", "fill_us_a_player", "suspects_ms",
)  # fmt: skip
"""All that `costs` finds, as docs/scaling.md lists it."""


async def costs(options: Options, on_tick: OnTick) -> Figures:
    """Every unit cost, in two minutes or so."""
    watching = await _of_streams(options, lambda part: on_tick(0.3 * part))
    scoring = await _of_scores(options, lambda part: on_tick(0.3 + 0.7 * part))
    found = watching | scoring
    return {figure: found[figure] for figure in MEASURED}


async def _of_streams(options: Options, on_tick: OnTick) -> Figures:
    """The embedded deployment: the part that writes to streams is the same in both."""
    found: Figures = {}
    for number, (what, query) in enumerate({"frame": "", "patch": "?delta=1"}.items()):
        path = f"/api/leaderboard/stream{query}"
        async with scoreboard(path=path) as contender, crowd(HOST, contender.port, path) as watching:
            memory, kernel = resident_bytes(contender.pid), kernel_bytes()
            used = cpu_seconds(contender.pid)
            await watching.open(options.crowd)
            await asyncio.sleep(SETTLE_SECONDS)
            opening = cpu_seconds(contender.pid) - used
            memory, kernel = resident_bytes(contender.pid) - memory, kernel_bytes() - kernel
            await one_by_one(contender, watching, 2, lambda _: None)
            await watching.clear()
            used = cpu_seconds(contender.pid)
            posted = await one_by_one(contender, watching, EVENTS, lambda _: None)
            used = cpu_seconds(contender.pid) - used
            report = await watching.report(posted)
        found |= {
            f"{what}_bytes": report["bytes"] / report["events"],
            f"cpu_us_a_{what}": 1e6 * used / report["events"],
        }
        if not query:
            found |= {
                "cpu_us_an_opening": 1e6 * opening / options.crowd,
                "stream_kb": memory / 1_000 / options.crowd,
                # Each connection has two ends, and both are on this machine.
                "stream_kernel_kb": kernel / 1_000 / options.crowd / 2,
            }
        on_tick((number + 1) / 2)
    return found


async def _of_scores(options: Options, on_tick: OnTick) -> Figures:
    with deployed() as deployment:
        await seed(deployment.database.url(), PLAYERS, lambda part: on_tick(0.1 * part))
        database = database_bytes(deployment)
        found: Figures = {"player_bytes": (database["players"] + database["standings"]) / PLAYERS}
        with deployment.instances(2) as (posted, watched):
            await until_filled(deployment, PLAYERS, lambda _: None)
            place, name_bytes = redis_bytes(deployment)
            found |= {"redis_bytes_a_place": place / PLAYERS, "redis_bytes_a_name": name_bytes / PLAYERS}
            found["fill_us_a_player"] = await _fill(deployment, (posted, watched))
            found["instance_mb"] = watched.resident_bytes() / 1e6
            on_tick(0.3)
            found |= await _one_by_one(deployment, posted, watched, options)
            on_tick(0.5)
            found |= await _many(deployment, posted, options, lambda part: on_tick(0.5 + 0.3 * part))
        # What an update costs when it has a turn for itself, less what it costs among many.
        found["instance_us_a_turn"] = found.pop("alone_us_an_update") - found["instance_us_an_update"]
        found |= await of_partners(deployment, _Processor(deployment).used, PLAYERS, scorers())
        on_tick(0.95)
        found["redis_us_a_message"] = await asyncio.to_thread(
            of_messages, deployment, _Processor(deployment).used
        )
    return found


def scorers() -> list[int]:
    return list(range(1, PLAYERS + 1, PLAYERS // SCORERS))


class _Processor:
    """What the processes of a deployment have used of it."""

    def __init__(self, deployment: Deployment, **instances: Target) -> None:
        self._postgres = int((deployment.database.data / "postmaster.pid").read_text().split()[0])
        with deployment.redis.client() as client:
            self._redis = int(client.info("server")["process_id"])
        self._instances = {what: instance.process.pid for what, instance in instances.items()}

    def used(self) -> Mapping[str, float]:
        """Seconds."""
        postgres = 0.0
        for pid in (self._postgres, *children_of(self._postgres)):
            with suppress(OSError):  # a worker that vacuums comes and goes
                postgres += cpu_seconds(pid)
        return {
            "postgres": postgres,
            "redis": cpu_seconds(self._redis),
            **{what: cpu_seconds(pid) for what, pid in self._instances.items()},
        }


async def _fill(deployment: Deployment, targets: tuple[Target, Target]) -> float:
    """An empty Redis filled by either instance: what all take together, since one waits for the other."""
    processor = _Processor(deployment, one=targets[0], other=targets[1])
    before = sum(processor.used().values())
    deployment.redis.flush()
    await until_filled(deployment, PLAYERS, lambda _: None)
    return 1e6 * (sum(processor.used().values()) - before) / PLAYERS


async def _one_by_one(deployment: Deployment, posted: Target, watched: Target, options: Options) -> Figures:
    """A hundred scores a second on one instance, each in a turn of its own; a stream on another one."""
    processor = _Processor(deployment, posted=posted, watched=watched)
    before = processor.used()
    await asyncio.sleep(IDLE_SECONDS)
    idle = {what: (used - before[what]) / IDLE_SECONDS for what, used in processor.used().items()}
    (stream,) = await open_streams(watched, 1)
    async with connected([posted], 8) as connections:
        # Who are the first ten: each of their scores changes the board that is shown.
        requests = cycle([posted.post(user_id(player), name(player)) for player in best(PLAYERS, 10)])
        await at_rate(connections, requests, RATE, 0.5, lambda _: None)
        before = processor.used()
        seconds = min(options.seconds, 5.0)
        sent = await at_rate(connections, requests, RATE, seconds, lambda _: None)
        used = {what: now - before[what] - idle[what] * seconds for what, now in processor.used().items()}
    stream.transport.close()
    return {
        "alone_us_an_update": 1e6 * used["posted"] / len(sent),
        "instance_us_a_change": 1e6 * used["watched"] / len(sent),
    }


async def _many(deployment: Deployment, posted: Target, options: Options, on_tick: OnTick) -> Figures:
    """As many scores as one instance takes, of many players."""
    processor = _Processor(deployment, posted=posted)
    requests = [posted.post(user_id(player), name(player)) for player in scorers()]
    # Each token is checked once beforehand: what a token costs a player's every fifth minute is left out.
    await flood([posted], requests, 2.0, 201, lambda _: None)
    log, (rows, _) = _log_bytes(deployment), ledger_bytes(deployment)
    counted, before = _events(deployment), processor.used()
    await flood([posted], requests, min(options.seconds, 6.0), 201, on_tick)
    used, total = processor.used()["posted"] - before["posted"], _events(deployment)
    events = total - counted
    rows_now, indexes = ledger_bytes(deployment)
    return {
        "instance_us_an_update": 1e6 * used / events,
        "log_bytes_an_update": (_log_bytes(deployment) - log) / events,
        # Rows of the seed do not say where they came from. An index grows by leaps, so all of it counts.
        "event_bytes": (rows_now - rows) / events + indexes / total,
    }


def _log_bytes(deployment: Deployment) -> int:
    (row,) = deployment.database.sql("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(row[0])


def _events(deployment: Deployment) -> int:
    (row,) = deployment.database.sql("SELECT version FROM boards WHERE id = 'main'")
    return int(row[0])
