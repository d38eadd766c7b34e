"""While a SQLite file is not writable, scores are refused and boards are shown. Then the server recovers."""

import resource
from pathlib import Path

import httpx2
import pytest

from tests.e2e.processes import serving
from tests.harness import running
from tests.programs import go_without
from tests.servers.process import until

NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def degraded(client: httpx2.Client) -> list[str]:
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    partners: list[str] = ready.json()["degraded"]
    return partners


def users(client: httpx2.Client) -> list[str]:
    return [entry["userId"] for entry in client.get("/api/leaderboard").json()["entries"]]


def test_a_full_disk_is_reported_and_the_server_recovers_without_another_score(tmp_path: Path) -> None:
    if not hasattr(resource, "prlimit"):
        go_without("only Linux limits the files of another process")
    with serving(tmp_path) as (process, client):
        assert client.score("ada").status_code == 201
        # No file of the server can grow further.
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        refused = client.score("ada")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        until(lambda: degraded(client) == ["store"], "the store is named")
        assert users(client) == ["ada"]
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
        until(lambda: degraded(client) == [], "nobody is named")
        assert client.score("ada").json()["score"] == 100


@pytest.mark.parametrize("place", ["the file", "its folder"])
def test_nothing_is_written_to_a_file_that_was_moved_away(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with running(folder) as server:
        server.score("ada")
        path = server.settings.database_path if place == "the file" else folder
        elsewhere = path.rename(tmp_path / "elsewhere")
        refused = server.score("bob")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        until(lambda: degraded(server.client) == ["store"], "the store is named")
        assert users(server.client) == ["ada"]
        elsewhere.rename(path)
        until(lambda: degraded(server.client) == [], "nobody is named")
        assert server.score("bob").json()["version"] == 2
        assert [event.version for event in server.ledger()] == [1, 2]
