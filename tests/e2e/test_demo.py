"""`scoreboard demo`: guests, and where it refuses to run."""

from pathlib import Path

import pytest

from tests.e2e.processes import scoreboard, serving


def test_without_simulated_players_a_guest_scores_for_nobody_else(tmp_path: Path) -> None:
    # Listening on all addresses has to be allowed explicitly.
    arguments = ("demo", "--no-players", "--host", "0.0.0.0", "--let-anybody-play")
    with serving(tmp_path, *arguments) as (_, client):
        assert client.get("/").status_code == 200
        guest = client.post("/demo/guests", json={"name": "Somebody", "userId": "ada"}).json()
        assert guest["userId"].startswith("guest-")
        assert client.get("/api/leaderboard").json()["version"] == 0
        assert client.score("ada", by=guest["token"]).status_code == 403
        assert client.score(guest["userId"], by=guest["token"]).status_code == 201


def test_the_demo_does_not_run_in_production(tmp_path: Path) -> None:
    done = scoreboard(tmp_path, "demo", SCOREBOARD_ENV="production")
    assert done.returncode == 2
    assert "SCOREBOARD_ENV is production" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1"])
def test_the_demo_listens_only_on_this_machine(tmp_path: Path, host: str) -> None:
    done = scoreboard(tmp_path, "demo", "--host", host)
    assert done.returncode == 2
    assert "--let-anybody-play" in done.stderr
