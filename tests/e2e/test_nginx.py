"""Behind a real nginx, each event arrives at once."""

from pathlib import Path

import httpx2
import pytest

from tests.clocks import HeldClock
from tests.e2e.nginx import Nginx
from tests.harness import Watcher, running
from tests.limits import LIMIT_SECONDS


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
