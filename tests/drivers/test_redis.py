"""The ranking in Redis when Redis does not answer, is down or has lost data; and its memory per player."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest
from structlog.testing import capture_logs

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort
from scoreboard.domain.errors import RankingUnavailable, StartError
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ports.ranking import ApplyResult, CopyState
from scoreboard.ranking.redis import subscription as redis_subscription
from scoreboard.ranking.redis.connection import RedisLimits
from scoreboard.ranking.redis.ranking import RedisRanking
from tests.drivers.conftest import all_boards, following, open_ranking, progress_again
from tests.limits import LIMIT_SECONDS
from tests.making import change, standing
from tests.relay import Relay
from tests.servers.redis import Redis, RedisCluster, RedisServer

STEP, LAST_PAGE = ChangeKind.STEP, ChangeKind.LAST_PAGE

IMPATIENT = RedisLimits(connections=4, silence_seconds=0.2)


@pytest.fixture
async def ranking(redis_url: str, redis_prefix: str) -> AsyncIterator[RedisRanking]:
    async with open_ranking(redis_url, prefix=redis_prefix) as ranking:
        await ranking.apply(change(LAST_PAGE, 0, 0))
        yield ranking


async def test_a_server_that_does_not_answer_is_waited_for_once_until_it_is_back(
    redis_url: str, redis_prefix: str, ranking: RedisRanking
) -> None:
    clock = asyncio.get_running_loop().time
    async with (
        Relay.to(redis_url) as relay,
        open_ranking(relay.through(redis_url), IMPATIENT, prefix=redis_prefix) as cut_off,
    ):
        await cut_off.read("main", ALL_TIME, Page(10))
        relay.passes.clear()
        with pytest.raises(RankingUnavailable):
            await cut_off.read("main", ALL_TIME, Page(10))
        before = clock()
        for _ in range(100):
            with pytest.raises(RankingUnavailable):
                await cut_off.read("main", ALL_TIME, Page(10))
        # A wait for each call would take twice as long.
        assert clock() - before < 100 * IMPATIENT.silence_seconds / 2
        relay.passes.set()
        assert await progress_again(cut_off) == CopyState(0, readable=True)


async def test_a_server_that_is_down_at_the_start_is_used_once_it_is_up(
    redis_url: str, redis_prefix: str, ranking: RedisRanking
) -> None:
    async with Relay.to(redis_url) as relay:
        relay.is_refusing = True
        async with open_ranking(relay.through(redis_url), IMPATIENT, prefix=redis_prefix) as cut_off:
            with pytest.raises(RankingUnavailable):
                await cut_off.copy_state("main")
            relay.is_refusing = False
            assert await progress_again(cut_off) == CopyState(0, readable=True)


async def test_a_cluster_is_used_again_after_all_its_servers_were_down() -> None:
    with RedisCluster() as cluster:
        limits = RedisLimits(connections=4, silence_seconds=1)
        async with open_ranking(cluster.url, limits, is_cluster=True) as ranking:
            await ranking.apply(change(LAST_PAGE, 0, 0))
            for node in cluster.nodes:
                await asyncio.to_thread(node.kill)
            with pytest.raises(RankingUnavailable):
                await ranking.copy_state("main")
            for node in cluster.nodes:
                await asyncio.to_thread(node.start)
            assert await progress_again(ranking) == CopyState(0, readable=False)


async def test_a_wrong_password_stops_the_start(own_redis: RedisServer) -> None:
    own_redis.execute("CONFIG", "SET", "requirepass", "right")
    with pytest.raises(StartError, match="refuses the connection"):
        async with open_ranking(f"redis://:wrong@127.0.0.1:{own_redis.port}/0"):
            pass


async def test_an_eviction_policy_that_may_delete_boards_is_logged() -> None:
    with RedisServer(maxmemory_policy="allkeys-lru") as server, capture_logs() as logs:
        async with open_ranking(server.url):
            pass
    assert ["noeviction" in line["event"] for line in logs] == [True]


async def test_a_full_server_refuses_changes_and_loses_none() -> None:
    with RedisServer(maxmemory="3mb", maxmemory_policy="noeviction") as server:
        async with open_ranking(server.url) as ranking:
            await ranking.apply(change(LAST_PAGE, 0, 0))
            version = 0
            try:
                while version < 200_000:
                    many = (standing(version + n, 1, version + n) for n in range(1, 1_001))
                    await ranking.apply(change(STEP, version, version + 1_000, *many))
                    version += 1_000
            except RankingUnavailable:
                assert version > 0
            server.execute("CONFIG", "SET", "maxmemory", "0")
            assert await progress_again(ranking) == CopyState(version, readable=True)


async def test_a_lost_subscription_is_renewed(
    redis_url: str, redis_prefix: str, ranking: RedisRanking
) -> None:
    async with (
        Relay.to(redis_url) as relay,
        open_ranking(relay.through(redis_url), prefix=redis_prefix) as through_relay,
        following(through_relay) as changed,
    ):
        relay.cut_after = b"SPUBLISH"
        await all_boards(changed)
        await check_reported(ranking, changed)


async def test_a_subscription_that_receives_nothing_is_renewed(
    redis_url: str, redis_prefix: str, ranking: RedisRanking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_subscription, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(redis_subscription, "PROBE_SECONDS", 0.1)
    monkeypatch.setattr(redis_subscription, "PAUSE_SECONDS", 0.1)
    async with (
        Relay.to(redis_url) as relay,
        open_ranking(relay.through(redis_url), prefix=redis_prefix) as through_relay,
    ):
        relay.deaf_after = b"SSUBSCRIBE"
        with capture_logs() as logs:
            async with following(through_relay) as changed:
                await all_boards(changed)
                assert [line["reason"] for line in logs] == ["no message has arrived"]
                await check_reported(ranking, changed)


async def check_reported(ranking: RedisRanking, changed: AsyncIterator[str]) -> None:
    """Check that the next change is reported."""
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    async with asyncio.timeout(LIMIT_SECONDS):
        assert await anext(changed) == "main"


@pytest.mark.parametrize("lost", ["{main}:order", "{main}:rows:0", "{main}:rows:1", "{@players}:names:0"])
async def test_a_board_of_which_a_part_was_lost_is_not_readable_until_it_is_filled_again(
    lost: str, redis_server: Redis, redis_prefix: str, ranking: RedisRanking
) -> None:
    """With an eviction policy, a full Redis deletes keys."""
    players = (standing(1, 50, 1), standing(200, 40, 2))
    await ranking.apply(change(STEP, 0, 2, *players))
    redis_server.execute("DEL", f"{redis_prefix}:{lost}")
    with pytest.raises(RankingUnavailable):
        await ranking.read("main", ALL_TIME, Page(10))
    assert await ranking.copy_state("main") == CopyState(0, readable=False)
    await ranking.apply(change(LAST_PAGE, 0, 2, *players))
    assert [e.user_id for e in (await ranking.read("main", ALL_TIME, Page(10))).entries] == [
        "user-1",
        "user-200",
    ]


@pytest.mark.parametrize("lost", ["{main}:order:2026-11-28", "{main}:rows:2026-11-28:0"])
async def test_a_board_of_which_a_period_was_lost_is_not_readable_until_it_is_filled_again(
    lost: str, redis_server: Redis, redis_prefix: str, ranking: RedisRanking
) -> None:
    periods = (ALL_TIME, DAY)
    players = [standing(1, 50, 1, period=period) for period in periods]
    await ranking.apply(change(STEP, 0, 1, *players, periods=periods))
    redis_server.execute("DEL", f"{redis_prefix}:{lost}")
    with pytest.raises(RankingUnavailable):
        await ranking.read("main", DAY, Page(10))
    assert await ranking.copy_state("main") == CopyState(0, readable=False)
    await ranking.apply(change(LAST_PAGE, 0, 1, *players, periods=periods))
    for period in periods:
        assert [e.user_id for e in (await ranking.read("main", period, Page(10))).entries] == ["user-1"]


async def test_periods_that_are_over_leave_nothing_in_redis(
    redis_server: Redis, redis_prefix: str, ranking: RedisRanking
) -> None:
    for version, day in enumerate(("2026-11-27", DAY)):
        players = (standing(n, 50, version + 1, period=day) for n in (1, 200))
        step = change(STEP, version, version + 1, *players, periods=(ALL_TIME, day))
        await ranking.apply(step)
    keys = redis_server.execute("KEYS", f"{redis_prefix}:*")
    assert len([key for key in keys if DAY in key]) == len(("order", "rows:0", "rows:1"))
    fields = redis_server.execute("HKEYS", f"{redis_prefix}:{{main}}:head")
    assert f"listed:{DAY}" in fields
    assert not [name for name in (*keys, *fields) if "2026-11-27" in name]
    await ranking.drop("main")
    keys = redis_server.execute("KEYS", f"{redis_prefix}:*")
    assert not [key for key in keys if "{main}" in key and "probe" not in key]


async def test_a_copy_of_the_version_before_is_still_read(
    redis_server: Redis, redis_prefix: str, ranking: RedisRanking
) -> None:
    """A board of the default definition keeps its layout."""
    await ranking.drop("main")
    prefix = f"{redis_prefix}:{{main}}"
    head = ("version", "7", "at_us", "7000", "readable", "1", "copy", "c", "listed", "2", "last_bucket", "1")
    redis_server.execute("HSET", f"{prefix}:head", *head)
    rows = {"0000000000000003:1": "-50", "0000000000000005:200": "-40"}
    for member, score in rows.items():
        redis_server.execute("ZADD", f"{prefix}:order", score, member)
    redis_server.execute("HSET", f"{prefix}:rows:0", "1", "7 3 3000")
    redis_server.execute("HSET", f"{prefix}:rows:1", "72", "5 5 5000")
    for player in (1, 200):
        bucket, field = divmod(player, 128)
        names = f"{redis_prefix}:{{@players}}:names:{bucket}"
        redis_server.execute("HSET", names, str(field), f"1\0user-{player}")
    assert (await ranking.copy_state("main")) == CopyState(7, readable=True)
    page = await ranking.read("main", ALL_TIME, Page(10))
    assert [(e.rank, e.user_id, e.score, e.position) for e in page.entries] == [
        (1, "user-1", 50, (-50, 3)),
        (2, "user-200", 40, (-40, 5)),
    ]
    applied = await ranking.apply(change(STEP, 7, 8, standing(200, 60, 8)))
    assert applied.ranks == {(ALL_TIME, 200): 1}


async def test_a_player_whose_row_was_lost_does_not_appear_twice(
    redis_server: Redis, redis_prefix: str, ranking: RedisRanking
) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    redis_server.execute("DEL", f"{redis_prefix}:{{main}}:rows:0")
    await ranking.apply(change(STEP, 1, 2, standing(1, 60, 2)))
    with pytest.raises(RankingUnavailable):
        await ranking.read("main", ALL_TIME, Page(10))


async def test_a_commit_is_not_applied_to_an_order_that_was_lost(
    redis_server: Redis, redis_prefix: str, ranking: RedisRanking
) -> None:
    await ranking.apply(change(STEP, 0, 1, standing(1, 50, 1)))
    redis_server.execute("DEL", f"{redis_prefix}:{{main}}:order")
    applied = await ranking.apply(change(STEP, 1, 2, standing(2, 60, 2)))
    assert applied == ApplyResult(0, readable=False, moved=False, ranks={})


DAY: Final = "2026-11-28"
COLUMNS: Final = tuple(Column(name, Sort.DESCENDING, Aggregation.SUM) for name in ("kills", "assists"))

LAYOUTS: Final = {
    "the score alone": (Definition(periods=(PeriodKind.DAY,)), 186, 165),
    "two columns": (Definition(columns=COLUMNS, periods=(PeriodKind.DAY,)), 200, 180),
}
"""Bytes of a player, without the texts, and of the same player in a further period."""


@pytest.mark.parametrize(("definition", "a_player", "a_further_period"), LAYOUTS.values(), ids=LAYOUTS.keys())
async def test_a_player_takes_few_bytes_and_at_most_180_in_each_further_period(
    definition: Definition, a_player: int, a_further_period: int, own_redis: RedisServer
) -> None:
    players, name, user_id = 15_000, "Player 00000", "0000abcd-0f6e-4b0c-9b37-2b1d0c8f7a55"
    columns = (10_000,) * len(definition.columns)
    async with open_ranking(own_redis.url, prefix="scoreboard", definition=definition) as ranking:
        taken = []
        version = 0
        for period in (ALL_TIME, DAY):
            before = used_memory(own_redis)
            for first in range(0, players, 5_000):
                some = (
                    replace(
                        standing(n, n * 7_919 % 1_000_000, version + n - first, *columns, period=period),
                        user_id=f"{n:08x}{user_id[8:]}",
                        name=f"Player {n:05d}",
                        reached_at_us=1_795_000_000_000_000 + n,
                    )
                    for n in range(first + 1, first + 5_001)
                )
                page = change(LAST_PAGE, version, version + 5_000, *some, periods=(ALL_TIME, DAY))
                await ranking.apply(page)
                version += 5_000
            taken.append((used_memory(own_redis) - before) / players)
    # Newer versions of Redis use less.
    assert 0.75 <= taken[0] / (a_player + len(user_id) + len(name)) <= 1.05
    assert 0.75 <= taken[1] / a_further_period <= 1.05
    assert taken[0] <= (260 if columns else 250)
    assert taken[1] <= 180


def used_memory(server: RedisServer) -> int:
    """Return the memory of the data, without buffers and scripts, which do not grow with players."""
    with server.client() as client:
        return int(client.info("memory")["used_memory_dataset"])
