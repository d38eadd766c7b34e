"""The ranking on Redis as operators run it: idle timeouts, full pools, Sentinels, cluster seeds."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any

import pytest
from redis import RedisError
from structlog.testing import capture_logs

from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.standings import ChangeKind
from scoreboard.ranking.redis import calls
from scoreboard.ranking.redis.connection import Limits
from scoreboard.ranking.redis.keys import BoardKeys
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.limits import LIMIT_SECONDS
from tests.making import change, standing
from tests.relay import Relay
from tests.servers.process import free_port, until
from tests.servers.redis import RedisCluster, RedisSentinel, RedisServer

LIMITS = Limits(connections=8, silence_seconds=5)


def opened(
    url: str, *, is_cluster: bool = False, limits: Limits = LIMITS, password: str | None = None
) -> RedisRanking:
    return RedisRanking(
        url, ["main", "side"], prefix="p", is_cluster=is_cluster, limits=limits, sentinel_password=password
    )


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
    async with opened(nodes[0].url, is_cluster=len(nodes) > 1) as ranking:
        await ranking.apply(change(ChangeKind.LAST_PAGE, 0, 1, standing(1, 50, 1)))
        for _ in range(2):
            # Use all connections of the pool.
            ranks = await asyncio.gather(*(ranking.rank("main", 1) for _ in range(LIMITS.connections)))
            assert ranks == [1] * LIMITS.connections
            for node in nodes:
                await asyncio.to_thread(close, node)
                await asyncio.to_thread(until, partial(is_unused, node), "all are closed")
        with capture_logs() as logs:
            for _ in range(2 * LIMITS.connections):
                assert await ranking.rank("main", 1) == 1
        assert logs == []


async def test_a_wait_for_a_free_connection_does_not_open_the_circuit_breaker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "WAIT_FOR_CONNECTION_SECONDS", 0.05)
    with RedisServer() as server:
        async with Relay(server.port) as relay, opened(f"redis://127.0.0.1:{relay.port}/0") as ranking:
            await ranking.apply(change(ChangeKind.LAST_PAGE, 0, 1, standing(1, 50, 1)))
            relay.passes.clear()
            with capture_logs() as logs:
                waiting = [asyncio.create_task(ranking.rank("main", 1)) for _ in range(LIMITS.connections)]
                while ranking.pools()["redis"][0] < LIMITS.connections:  # noqa: ASYNC110  # there is no event for it
                    await asyncio.sleep(0)
                # The pool has no free connection.
                with pytest.raises(RankingUnavailable):
                    await ranking.rank("main", 1)
                relay.passes.set()
                assert await asyncio.gather(*waiting) == [1] * LIMITS.connections
                assert await ranking.rank("main", 1) == 1
            assert logs == []


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield int(listening.getsockname()[1])


@pytest.fixture
def primary() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def replica(primary: RedisServer) -> Iterator[RedisServer]:
    with RedisServer() as server:
        server.replica_of(primary)
        yield server


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
    limits = Limits(connections=4, silence_seconds=1.5)
    async with opened(url, limits=limits, password=sentinel.password) as ranking:
        await ranking.apply(change(ChangeKind.LAST_PAGE, 0, 1, standing(1, 50, 1)))
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
                before = await ranking.progress("main")
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
    changed = watched.changed_boards()
    async with asyncio.timeout(2 * LIMIT_SECONDS):
        assert {await anext(changed), await anext(changed)} == {"main", "side"}
        await asyncio.to_thread(sentinel.execute, "SENTINEL", "FAILOVER", sentinel.SERVICE)
        await writes_to(watched, replica)
        # Changes may have been missed, so all boards are reported as changed.
        named: set[str] = set()
        while named != {"main", "side"}:
            named.add(await anext(changed))
    await changed.aclose()  # type: ignore[attr-defined]


async def test_one_reachable_seed_is_enough_to_find_a_cluster() -> None:
    with RedisCluster() as cluster:
        alive = cluster.nodes[-1].port
        seeds = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()},127.0.0.1:{alive}"
        async with opened(f"redis://{seeds}", is_cluster=True) as ranking:
            await ranking.apply(change(ChangeKind.LAST_PAGE, 0, 1, standing(1, 50, 1)))
            assert await ranking.rank("main", 1) == 1
