"""`scoreboard export`."""

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoreboard.domain.events import EventKind
from scoreboard.domain.periods import PeriodKind
from tests.clocks import HeldClock
from tests.contract.correcting import about, correct
from tests.contract.store.kinds_of_boards import RACE, at, board, submit, value
from tests.e2e.processes import scoreboard, variables
from tests.harness import running
from tests.making import SIDE
from tests.stores import migrated_file, open_sqlite


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


async def test_only_events_with_columns_and_rollovers_have_their_fields(tmp_path: Path) -> None:
    own = board(replace(RACE, periods=(PeriodKind.WEEK,)))
    clock = HeldClock(at("2026-11-28T12:00:00+00:00"))
    async with open_sqlite(migrated_file(tmp_path / "scoreboard.db"), clock, boards=(own, SIDE)) as store:
        await submit(store, own, value("ada", 5, 70, 1))
        await correct(store, about(EventKind.BAN))
    rollover, award, ban = await asyncio.to_thread(rows, tmp_path)
    assert (rollover["kind"], rollover["userId"], rollover["period"], rollover["boundary"]) == (
        "rollover", None, "2026-W48", "2026-11-23T00:00:00.000+00:00"
    )  # fmt: skip
    assert (award["points"], award["columns"]) == (5, [70, 1])
    assert award.keys() - ban.keys() == {"columns"}
    assert rollover.keys() - ban.keys() == {"period", "boundary"}


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
