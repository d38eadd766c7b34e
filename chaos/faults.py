"""The faults of a scoreboard. Each fault breaks something while the load runs, and repairs it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from chaos.world import DATABASE, World
from tests.history.recording import Load
from tests.key_server import NO_KEY_SETS
from tests.limits import LIMIT_SECONDS
from tests.servers.process import Server

PAUSE_SECONDS: Final = 1.5
"""How long a component is frozen or unreachable: longer than every time limit that detects it."""

JUMPS_SECONDS: Final = (-86_400, 3_600, 365 * 86_400)
"""Jumps of the clock, each far larger than the smallest jump that an instance detects."""

CROWD: Final = 1_000
"""Concurrent submissions of one user, each key twice."""

Fault = Callable[[World, Load, random.Random], Awaitable[None]]


@asynccontextmanager
async def _paused(server: Server) -> AsyncIterator[None]:
    await asyncio.to_thread(server.pause)
    try:
        yield
    finally:
        await asyncio.to_thread(server.resume)


async def _crash(server: Server, rng: random.Random) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(rng.uniform(0, PAUSE_SECONDS))
    await asyncio.to_thread(server.start)


async def kill_an_instance(world: World, _load: Load, rng: random.Random) -> None:
    instance = rng.choice(world.instances)
    await asyncio.to_thread(instance.kill)
    await asyncio.to_thread(instance.start)


async def stop_an_instance(world: World, load: Load, rng: random.Random) -> None:
    """Freeze one instance. The other one continues, even if the frozen one holds a board's lock."""
    async with _paused(rng.choice(world.instances)):
        await load.more_acknowledged(10)
        await asyncio.sleep(PAUSE_SECONDS)


async def kill_redis(world: World, _load: Load, rng: random.Random) -> None:
    """Restart Redis without data."""
    await _crash(world.redis, rng)


async def stop_redis(world: World, load: Load, _rng: random.Random) -> None:
    """Make Redis unreachable. Scores are still accepted."""
    async with _paused(world.redis):
        await load.more_acknowledged(20)
        await asyncio.sleep(PAUSE_SECONDS)


async def put_a_lagging_replica_first(world: World, load: Load, _rng: random.Random) -> None:
    """Promote a Redis replica with outdated data."""
    await asyncio.to_thread(world.replica.replica_of, world.redis)
    await asyncio.to_thread(world.replica.promote)
    await load.more_acknowledged(100)
    await asyncio.to_thread(world.put_replica_first)


async def flush_redis(world: World, _load: Load, _rng: random.Random) -> None:
    await asyncio.to_thread(world.redis.flush)


async def flush_the_cluster(world: World, _load: Load, _rng: random.Random) -> None:
    await asyncio.to_thread(world.cluster.flush)


async def kill_a_node(world: World, _load: Load, rng: random.Random) -> None:
    """Kill the cluster node with the most keys: it has data of both boards. It restarts without data."""
    node = await asyncio.to_thread(max, world.cluster.nodes, key=lambda node: node.execute("DBSIZE"))
    await _crash(node, rng)


async def kill_postgres(world: World, _load: Load, rng: random.Random) -> None:
    """Kill the postmaster and all backends, as in a crash of the machine without loss of its disk."""
    await _crash(world.postgres, rng)


async def stop_postgres(world: World, _load: Load, _rng: random.Random) -> None:
    async with _paused(world.postgres):
        await asyncio.sleep(PAUSE_SECONDS)


async def terminate_all_connections(world: World, _load: Load, _rng: random.Random) -> None:
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
    )
    await asyncio.to_thread(world.postgres.sql, statement, database=DATABASE)


async def crowd_of_one_user(_world: World, load: Load, rng: random.Random) -> None:
    """Send concurrent submissions to all instances, each key twice.

    No component is broken, so each request is answered once the machine has time for it.
    """
    user_id = f"crowd-{rng.getrandbits(32):08x}"
    keys = (f"{user_id}-{n % (CROWD // 2)}" for n in range(CROWD))
    await asyncio.gather(*(load.submit(user_id, "quest", key, LIMIT_SECONDS) for key in keys))


async def turn_the_key_set_bad(world: World, load: Load, rng: random.Random) -> None:
    """Start an instance while the key server is broken. The others continue with the keys that they have."""
    world.issuer.body = rng.choice(list(NO_KEY_SETS.values()))
    try:
        await kill_an_instance(world, load, rng)
        await asyncio.to_thread(world.have_the_keys_fetched)
        await load.more_acknowledged(10)
        await asyncio.sleep(PAUSE_SECONDS)
    finally:
        world.issuer.body = None


async def jump_the_clock_and_come_back(world: World, load: Load, rng: random.Random) -> None:
    """Set PostgreSQL's clock, which all instances use. Running instances refuse the jump, new ones do not."""
    ahead = rng.choice(JUMPS_SECONDS)
    instance = rng.choice(world.instances)
    await asyncio.to_thread(instance.kill)
    world.clock.set_ahead(ahead)
    await asyncio.to_thread(instance.start)
    await load.more_acknowledged(20)
    world.clock.set_ahead(0)
    # Otherwise it would take the correct time for a jump, and refuse writes for half a minute.
    await asyncio.to_thread(instance.kill)
    await asyncio.to_thread(instance.start)


FAULTS: Final[Mapping[str, Fault]] = {
    "instance-killed": kill_an_instance,
    "instance-stopped": stop_an_instance,
    "redis-killed": kill_redis,
    "redis-stopped": stop_redis,
    "redis-lagging-replica": put_a_lagging_replica_first,
    "redis-flushed": flush_redis,
    "postgres-killed": kill_postgres,
    "postgres-stopped": stop_postgres,
    "postgres-connections-terminated": terminate_all_connections,
    "crowd-of-one-user": crowd_of_one_user,
    "key-set-turns-bad": turn_the_key_set_bad,
}

CLOCK_FAULTS: Final[Mapping[str, Fault]] = {"clock-jumps-and-comes-back": jump_the_clock_and_come_back}
"""Run the fault in a world whose PostgreSQL clock can be set."""

CLUSTER_FAULTS: Final[Mapping[str, Fault]] = {
    "cluster-flushed": flush_the_cluster,
    "cluster-node-killed": kill_a_node,
}
"""Run the fault in a world whose Redis is a cluster."""
