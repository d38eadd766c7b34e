"""`scoreboard export`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import scoreboard, variables
from tests.harness import running


def rows(folder: Path, *options: str, **settings: str) -> list[dict[str, Any]]:
    done = scoreboard(folder, "export", *options, **settings)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_ledger_is_exported_while_a_server_runs(tmp_path: Path, deployment: dict[str, Any]) -> None:
    settings = variables(deployment)
    with running(tmp_path, **deployment) as server:
        for user in ("ada", "bob", "ada"):
            assert server.score(user).status_code == 201
        erase = ("admin", "erase", "bob", "--yes", "--reason", "asked for")
        assert scoreboard(tmp_path, *erase, **settings).returncode == 0
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
def test_an_event_is_one_line_for_all_readers(tmp_path: Path, end: str) -> None:
    with running(tmp_path) as server:
        assert server.score("ada").status_code == 201
        with closing(sqlite3.connect(tmp_path / "scoreboard.db")) as connection, connection:
            # Earlier versions accepted such an id.
            connection.execute("UPDATE players SET user_id = ?", (f"a{end}b",))
    done = scoreboard(tmp_path, "export")
    assert end not in done.stdout
    assert [json.loads(line)["userId"] for line in done.stdout.splitlines()] == [f"a{end}b"]


def test_an_unknown_board_is_refused(tmp_path: Path) -> None:
    scoreboard(tmp_path, "migrate")
    done = scoreboard(tmp_path, "export", "--board", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nope" in done.stderr
