"""`scoreboard export`: the ledger, for whoever counts something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import score, scoreboard, serving


@pytest.fixture
def settings(deployment: dict[str, Any]) -> dict[str, str]:
    return {f"SCOREBOARD_{name.upper()}": str(value) for name, value in deployment.items()}


def rows(folder: Path, *options: str, **settings: str) -> list[dict[str, Any]]:
    done = scoreboard(folder, "export", *options, **settings)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_ledger_is_written_beside_its_server(tmp_path: Path, settings: dict[str, str]) -> None:
    with serving(tmp_path, **settings) as (_, client):
        for user in ("ada", "bob", "ada"):
            token = scoreboard(tmp_path, "token", user).stdout.strip()
            assert score(client, token, user).status_code == 201
        assert (
            scoreboard(tmp_path, "admin", "erase", "bob", "--yes", "--reason", "asked for", **settings).returncode == 0
        )
        whole = rows(tmp_path, **settings)
        assert [(row["version"], row["kind"], row["userId"]) for row in whole] == [
            (1, "award", "ada"),
            (2, "award", None),
            (3, "award", "ada"),
            (4, "erase", None),
        ]
        assert [row["score"] for row in whole if row["userId"] == "ada"] == [50, 100]
        assert whole[0]["at"].endswith("+00:00")
        assert rows(tmp_path, "--after", "2", **settings) == whole[2:]


def test_a_board_that_is_not_known_is_told(tmp_path: Path) -> None:
    scoreboard(tmp_path, "migrate")
    done = scoreboard(tmp_path, "export", "--board", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nope" in done.stderr
