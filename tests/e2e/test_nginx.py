"""Behind a real nginx, each event arrives at once, and instances are replaced without a failed request."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from chaos.world import World
from tests.clocks import HeldClock
from tests.e2e.nginx import Nginx
from tests.harness import Watcher, running
from tests.history.checker import check
from tests.history.clients import Plan
from tests.history.recording import recording
from tests.history.records import Acknowledged, Refused
from tests.history.store_ledger import with_ledger
from tests.limits import LIMIT_SECONDS

LIVE_AGAIN_SECONDS = 5.0
PLAN = Plan(rate=60.0, clients=12, staying=4, rotating=0)


@pytest.mark.parametrize("http_version", ["1.0", "1.1"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_each_event_arrives_at_once(tmp_path: Path, http_version: str, encoding: str) -> None:
    """With nginx's default buffering, this test would wait for the first event until its time limit."""
    with (
        running(tmp_path, HeldClock(), rate_limit="1000/minute") as scoreboard,
        Nginx([scoreboard.url], http_version) as nginx,
        httpx2.stream(
            "GET",
            f"{nginx.url}/api/leaderboard/stream",
            headers={"Accept-Encoding": encoding},
            timeout=LIMIT_SECONDS,
        ) as response,
    ):
        assert response.headers["Cache-Control"] == "no-cache, no-transform"
        watcher = Watcher(response)
        assert watcher.frame()["version"] == 0
        for version in range(1, 11):
            scoreboard.score("ada" if version % 2 else "bob")
            assert watcher.frame()["version"] == version
        assert scoreboard.scoreboard.hub.streams == 1
    assert scoreboard.scoreboard.hub.streams == 0


@pytest.fixture
def world() -> Iterator[World]:
    with World(instances=2, SCOREBOARD_DRAIN_SECONDS="1") as world:
        yield world


async def test_a_rolling_restart_loses_no_score_fails_no_request_and_keeps_every_screen_live(
    world: World,
) -> None:
    one, other = world.instances
    with Nginx([one.url, other.url]) as nginx:
        async with recording([nginx.url], world.token, PLAN) as load:
            await load.healed(10.0)
            for leaving, staying in ((one, other), (other, one)):
                await load.more_acknowledged(30)
                await asyncio.to_thread(nginx.balance, [staying.url])
                assert await asyncio.to_thread(leaving.stop) == 0
                await load.healed(LIVE_AGAIN_SECONDS)
                await asyncio.to_thread(leaving.start)
                await asyncio.to_thread(nginx.balance, [one.url, other.url])
            await load.more_acknowledged(30)
    history = await with_ledger(load.history, world.settings)
    assert check(history, world.settings.rate_limit) == []
    failed = [
        str(attempt.outcome)
        for attempt in history.attempts
        if not isinstance(attempt.outcome, Acknowledged)
        and not (isinstance(attempt.outcome, Refused) and attempt.outcome.status == 429)
    ]
    assert failed == []
