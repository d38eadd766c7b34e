"""The ranking on Redis as operators run it: idle timeouts, full pools, fail-over and clusters."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from typing import Any

import pytest
from redis import RedisError
from structlog.testing import capture_logs

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import CopyState
from scoreboard.ranking.redis import calls
from scoreboard.ranking.redis.connection import RedisLimits
from scoreboard.ranking.redis.keys import BoardKeys
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.drivers.conftest import all_boards, following, open_ranking, progress_again
from tests.limits import LIMIT_SECONDS
from tests.making import change, standing
from tests.rankings import rank_of
from tests.relay import Relay
from tests.servers.process import free_port, until
from tests.servers.redis import RedisCluster, RedisSentinel, RedisServer

LIMITS = RedisLimits(connections=8, silence_seconds=5)
ONE_PLAYER = change(ChangeKind.LAST_PAGE, 0, 1, standing(1, 50, 1))


@pytest.fixture(params=["server", "cluster"])
def nodes(request: pytest.FixtureRequest) -> Iterator[Sequence[RedisServer]]:
    if request.param == "server":
        with RedisServer() as server:
            yield [server]
    else:
        with RedisCluster() as cluster:
            yield cluster.nodes


def close_when_idle(node: RedisServer) -> None:
    node.execute("CONFIG", "SET", "timeout", "1")


def close_now(node: RedisServer) -> None:
    node.execute("CLIENT", "KILL", "TYPE", "normal")


def is_unused(node: RedisServer) -> bool:
    """Return True if a server has no client except this one."""
    with node.client() as client:
        return len(client.client_list(_type="normal")) == 1


@pytest.mark.parametrize("close", [close_when_idle, close_now])
async def test_connections_that_the_server_has_closed_are_reopened_without_an_error(
    close: Callable[[RedisServer], None], nodes: Sequence[RedisServer]
) -> None:
    async with open_ranking(nodes[0].url, LIMITS, is_cluster=len(nodes) > 1) as ranking:
        await ranking.apply(ONE_PLAYER)
        for _ in range(2):
            # Use all connections of the pool.
            ranks = await asyncio.gather(*(rank_of(ranking, 1) for _ in range(LIMITS.connections)))
            assert ranks == [1] * LIMITS.connections
            for node in nodes:
                await asyncio.to_thread(close, node)
                await asyncio.to_thread(until, partial(is_unused, node), "all are closed")
        with capture_logs() as logs:
            for _ in range(2 * LIMITS.connections):
                assert await rank_of(ranking, 1) == 1
        assert logs == []


async def test_a_wait_for_a_free_connection_does_not_open_the_circuit_breaker(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "WAIT_FOR_CONNECTION_SECONDS", 0.05)
    async with (
        Relay(own_redis.port) as relay,
        open_ranking(relay.through(own_redis.url), LIMITS) as ranking,
    ):
        await ranking.apply(ONE_PLAYER)
        relay.passes.clear()
        with capture_logs() as logs:
            waiting = [asyncio.create_task(rank_of(ranking, 1)) for _ in range(LIMITS.connections)]
            while ranking.pools()["redis"][0] < LIMITS.connections:  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0)
            # The pool has no free connection.
            with pytest.raises(RankingUnavailable):
                await rank_of(ranking, 1)
            relay.passes.set()
            assert await asyncio.gather(*waiting) == [1] * LIMITS.connections
            assert await rank_of(ranking, 1) == 1
        assert logs == []


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield int(listening.getsockname()[1])


@pytest.fixture
def primary(own_redis: RedisServer) -> RedisServer:
    return own_redis


@pytest.fixture
def replica(primary: RedisServer) -> Iterator[RedisServer]:
    with RedisServer() as server:
        server.replica_of(primary)
        yield server


@asynccontextmanager
async def at_a_name(server: RedisServer) -> AsyncIterator[tuple[Relay, RedisRanking]]:
    """Open a ranking through a relay that stands for a DNS name, which may lead to another server later."""
    limits = RedisLimits(connections=4, silence_seconds=2)
    async with Relay(server.port) as relay, open_ranking(relay.through(server.url), limits) as ranking:
        await ranking.apply(change(ChangeKind.LAST_PAGE, 0, 0))
        yield relay, ranking


async def test_a_redis_that_became_a_replica_is_left_for_the_new_server_of_its_name(
    primary: RedisServer, replica: RedisServer
) -> None:
    async with at_a_name(primary) as (relay, ranking):
        await asyncio.to_thread(replica.promote, primary)
        # Open connections stay with the old server, which still answers.
        await asyncio.to_thread(primary.replica_of, replica)
        relay.target_port = replica.port
        step = change(ChangeKind.STEP, 0, 1, standing(1, 50, 1))
        with pytest.raises(RankingUnavailable):
            await ranking.apply(step)
        await progress_again(ranking)
        assert (await ranking.apply(step)).ranks == {(ALL_TIME, 1): 1}
        assert replica.execute("EXISTS", BoardKeys("p", "main").copy[1]) == 1


async def test_a_name_that_leads_to_a_replica_is_tried_until_that_one_accepts_writes(
    primary: RedisServer, replica: RedisServer
) -> None:
    async with at_a_name(primary) as (relay, ranking):
        await asyncio.to_thread(replica.replica_of, primary)
        relay.target_port = replica.port
        await asyncio.to_thread(primary.kill)
        with pytest.raises(RankingUnavailable):
            await ranking.copy_state("main")
        # The ranking asks for the role before it uses a server.
        await asyncio.to_thread(until, lambda: times_asked(replica) >= 2, "the replica was tried again")
        # The replica could be read, but its data are old from now on.
        with pytest.raises(RankingUnavailable):
            await ranking.copy_state("main")
        await asyncio.to_thread(replica.promote)
        assert await progress_again(ranking) == CopyState(0, readable=True)
        assert (await ranking.apply(change(ChangeKind.STEP, 0, 1, standing(1, 50, 1)))).ranks == {
            (ALL_TIME, 1): 1
        }


def times_asked(server: RedisServer) -> int:
    """Return how often a server was asked for its role."""
    with server.client() as client:
        calls = client.info("commandstats").get("cmdstat_role")
    return int(calls["calls"]) if isinstance(calls, dict) else 0


@pytest.fixture
def sentinel(primary: RedisServer, replica: RedisServer) -> Iterator[RedisSentinel]:
    with RedisSentinel(primary, password="of-the-sentinel") as sentinel:  # of a test
        until(lambda: sentinel.knows_replicas() == 1, "the Sentinel knows the replica")
        yield sentinel


@pytest.fixture
async def watched(
    sentinel: RedisSentinel, replica: RedisServer, silent_port: int
) -> AsyncIterator[RedisRanking]:
    """A ranking with three Sentinels: the first never answers, the second is down, the third works."""
    hosts = f"127.0.0.1:{silent_port},127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}"
    url = f"redis+sentinel://{hosts}/{sentinel.SERVICE}/0"
    limits = RedisLimits(connections=4, silence_seconds=1.5)
    async with open_ranking(url, limits, sentinel_password=sentinel.password) as ranking:
        await ranking.apply(ONE_PLAYER)
        await asyncio.to_thread(until, lambda: copied_version(replica) == "1", "the replica has the copy")
        yield ranking


def copied_version(server: RedisServer) -> Any:
    return server.execute("HGET", BoardKeys("p", "main").copy[0], "version")


async def writes_to(ranking: RedisRanking, server: RedisServer) -> None:
    """Write until a change arrives at a server, and the server is a primary."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            # A server closes connections when its role changes.
            with suppress(RankingUnavailable, RedisError):
                before = await ranking.copy_state("main")
                applied = await ranking.apply(
                    change(
                        ChangeKind.STEP,
                        before.version,
                        before.version + 1,
                        standing(1, 60, before.version + 1),
                    )
                )
                role = await asyncio.to_thread(server.execute, "ROLE")
                version = await asyncio.to_thread(copied_version, server)
                if (role[0], version) == ("master", str(applied.version)):
                    return
            await asyncio.sleep(0.05)


async def test_after_the_primary_fails_changes_go_to_the_one_that_the_sentinels_name(
    watched: RedisRanking, primary: RedisServer, replica: RedisServer
) -> None:
    await asyncio.to_thread(primary.kill)
    await writes_to(watched, replica)


async def test_a_replaced_primary_gets_no_changes_although_it_still_accepts_them(
    watched: RedisRanking, sentinel: RedisSentinel, primary: RedisServer, replica: RedisServer
) -> None:
    async with following(watched) as changed:
        await asyncio.to_thread(sentinel.execute, "SENTINEL", "FAILOVER", sentinel.SERVICE)
        await writes_to(watched, replica)
        await all_boards(changed)


async def test_one_reachable_seed_is_enough_to_find_a_cluster() -> None:
    with RedisCluster() as cluster:
        alive = cluster.nodes[-1].port
        seeds = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()},127.0.0.1:{alive}"
        async with open_ranking(f"redis://{seeds}", LIMITS, is_cluster=True) as ranking:
            await ranking.apply(ONE_PLAYER)
            assert await rank_of(ranking, 1) == 1
