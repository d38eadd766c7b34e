"""GET /api/boards, and boards with another number of rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import HeldClock
from tests.harness import UNLIMITED, Running, running
from tests.web.problems import code

CATALOG = """
[boards.race]
title = "Race"
decimals = 3
unit = "s"
rows = 3
timezone = "Europe/Berlin"
opens_at = 2026-11-18T12:00:00+01:00
[boards.main]
title = "Main"
[actions.lap]
board = "race"
points = 61250
title = "Lap"
"""


@pytest.fixture
def race(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "catalog.toml").write_text(CATALOG)
    with running(tmp_path, HeldClock(), rate_limit=UNLIMITED) as server:
        yield server


def test_all_boards_are_listed_with_their_definitions(race: Running) -> None:
    response = race.client.get("/api/boards")
    assert response.status_code == 200
    default = {
        "aggregation": "sum", "sort": "descending", "ties": "earliest", "columns": [], "decimals": 0,
        "unit": None, "rows": 10, "timezone": "UTC", "opensAt": None, "closesAt": None, "periods": [],
    }  # fmt: skip
    assert response.json() == {
        "time": "2026-11-18T11:06:40.000000Z",
        "boards": [
            {
                **default,
                "id": "race",
                "title": "Race",
                "decimals": 3,
                "unit": "s",
                "rows": 3,
                "timezone": "Europe/Berlin",
                "opensAt": "2026-11-18T11:00:00.000000Z",
            },
            {**default, "id": "main", "title": "Main"},
        ],
    }


def test_private_boards_are_listed_only_with_a_token(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), require_auth_to_read=True) as server:
        assert code(server.client.get("/api/boards")) == (401, "token_missing")
        headers = {"Authorization": f"Bearer {server.token()}"}
        listed = server.client.get("/api/boards", headers=headers)
        assert [board["id"] for board in listed.json()["boards"]] == ["main", "side"]
        assert listed.headers["Cache-Control"] == "private, no-cache"
        for path in ("rank?userId=ada", "cutoffs"):
            assert code(server.client.get(f"/api/leaderboard/{path}")) == (401, "token_missing")
            assert server.client.get(f"/api/leaderboard/{path}", headers=headers).status_code == 200


def test_the_rows_of_a_board_are_those_of_its_stream_and_of_a_page_by_default(race: Running) -> None:
    for number in range(5):
        assert race.score(f"p{number}", "lap").status_code == 201
    assert [entry["userId"] for entry in race.board()["entries"]] == ["p0", "p1", "p2"]
    assert len(race.board(limit=10)["entries"]) == 5
    with race.watch() as watcher:
        assert [entry["userId"] for entry in watcher.frame()["entries"]] == ["p0", "p1", "p2"]
