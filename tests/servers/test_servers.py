"""The test servers provide the faults that tests need."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from tests.servers import finding
from tests.servers.postgresql import PostgresServer
from tests.servers.process import are_in
from tests.servers.redis import Redis, RedisServer

SILENT_SECONDS = 0.2


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    with PostgresServer(max_connections=20) as server:
        yield server


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    with RedisServer(maxmemory_policy="noeviction") as server:
        yield server


def test_commits_survive_a_crash_and_a_stop_of_postgresql(own_postgres: PostgresServer) -> None:
    own_postgres.sql("CREATE TABLE kept AS SELECT 1 AS number")
    own_postgres.kill()
    assert not own_postgres.answers()
    own_postgres.start()
    own_postgres.sql("INSERT INTO kept VALUES ($1)", 2)
    own_postgres.stop()
    assert not own_postgres.answers()
    own_postgres.start()
    assert [row[0] for row in own_postgres.sql("SELECT number FROM kept ORDER BY 1")] == [1, 2]


async def test_a_paused_postgresql_answers_on_no_connection_until_it_is_resumed(
    own_postgres: PostgresServer,
) -> None:
    connection = await asyncpg.connect(own_postgres.url())
    own_postgres.pause()
    with pytest.raises(TimeoutError):
        await asyncpg.connect(own_postgres.url(), timeout=SILENT_SECONDS)
    waiting = asyncio.create_task(connection.fetchval("SELECT 1"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), SILENT_SECONDS)
    own_postgres.resume()
    assert await waiting == 1
    await connection.close()


def test_a_failed_test_leaves_no_server_behind() -> None:
    server = PostgresServer(fsync=False)

    def fail_meanwhile() -> None:
        with server:
            server.pause()
            family.extend(server._paused)
            raise AssertionError("the test's own")

    family: list[int] = []
    with pytest.raises(AssertionError, match="the test's own"):
        fail_meanwhile()
    assert len(family) > 3
    assert are_in("", family), "some are still there"
    assert not server.folder.exists()


def test_redis_loses_its_data_when_it_stops(own_redis: RedisServer) -> None:
    for end in (own_redis.kill, own_redis.stop, own_redis.flush):
        own_redis.execute("SET", "key", "value")
        assert own_redis.execute("GET", "key") == "value"
        end()
        if not own_redis.runs:
            assert not own_redis.answers()
            own_redis.start()
        assert own_redis.execute("GET", "key") is None


def test_a_paused_redis_does_not_answer_until_it_is_resumed(own_redis: RedisServer) -> None:
    own_redis.pause()
    with own_redis.client(SILENT_SECONDS) as client, pytest.raises(redis.TimeoutError):
        client.ping()
    own_redis.resume()
    assert own_redis.answers()


def test_a_replica_that_takes_over_has_the_changes_up_to_its_promotion(own_redis: RedisServer) -> None:
    own_redis.execute("SET", "before", "replicated")
    with RedisServer() as replica:
        replica.replica_of(own_redis)
        own_redis.execute("SET", "then", "replicated")
        replica.promote(own_redis)
        own_redis.execute("SET", "after", "too late")
        url = own_redis.url
        replica.take_over(own_redis)
        assert replica.url == url
        with redis.Redis.from_url(url, decode_responses=True) as client:
            assert client.mget("before", "then", "after") == ["replicated", "replicated", None]
        own_redis.start()
        assert own_redis.url != url
        replica.kill()
        replica.start()
        assert replica.execute("DBSIZE") == 0


def test_only_the_keys_of_a_test_are_removed(redis_server: Redis, redis_prefix: str, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        keys = [f"{redis_prefix}one", f"{{board}}{redis_prefix}two", f"other-{redis_prefix[:-1]}"]
        client.mset(dict.fromkeys(keys, 1))
        redis_server.remove(redis_prefix)
        assert client.exists(*keys[:2]) == 0
        assert client.delete(keys[2]) == 1


@pytest.mark.parametrize(
    ("wheels_run", "ci", "outcome"),
    [(True, "", finding.NoServer), (False, "true", finding.NoServer), (False, "", pytest.skip.Exception)],
    ids=["a laptop fails", "CI fails on any platform", "a laptop skips where no wheel runs"],
)
def test_a_missing_program_is_reported_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch, wheels_run: bool, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(finding, "find_redis", lambda: None)
    monkeypatch.setattr(finding, "wheels_run_here", lambda: wheels_run)
    with pytest.raises(outcome, match=r"`make test` brings one.* apt-get install redis-server"):
        finding.redis_program()


def test_programs_that_are_too_old_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, said in {
        "redis-server": "Redis server v=6.2.1",
        "valkey-server": "Valkey server v=8.0.1",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(finding, "WHEELS_ALONE", False)
    assert finding.find_redis.__wrapped__() == tmp_path / "valkey-server"
