"""`scoreboard export`: the ledger, for whoever counts something else."""

import json
import sqlite3
from contextlib import closing
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
            scoreboard(
                tmp_path, "admin", "erase", "bob", "--yes", "--reason", "asked for", **settings
            ).returncode
            == 0
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


@pytest.mark.parametrize("end", ["\u2028", "\x85"])
def test_no_reader_finds_the_end_of_a_line_within_one(tmp_path: Path, end: str) -> None:
    with serving(tmp_path) as (_, client):
        token = scoreboard(tmp_path, "token", "ada").stdout.strip()
        assert score(client, token, "ada").status_code == 201
        path = tmp_path / "scoreboard.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            # As an older version let it through.
            connection.execute("UPDATE players SET user_id = ?", (f"a{end}b",))
        done = scoreboard(tmp_path, "export")
    assert end not in done.stdout
    assert [json.loads(line)["userId"] for line in done.stdout.splitlines()] == [f"a{end}b"]


def test_a_board_that_is_not_known_is_told(tmp_path: Path) -> None:
    scoreboard(tmp_path, "migrate")
    done = scoreboard(tmp_path, "export", "--board", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nope" in done.stderr
