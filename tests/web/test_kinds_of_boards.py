"""Boards whose scores combine, rank and restart in other ways than a sum."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scoreboard.domain.scopes import WRITE_ANY_SCORES
from tests.clocks import HeldClock
from tests.harness import UNLIMITED, Running, running
from tests.web.administrator import admin
from tests.web.problems import code

CATALOG = """
[boards.race]
title = "Best lap"
aggregation = "best"
sort = "ascending"
columns = [{ id = "penalty", sort = "ascending" }, { id = "speed" }]
[boards.golf]
title = "Golf"
sort = "ascending"
ties = "shared"
[boards.rating]
title = "Rating"
aggregation = "latest"
ties = "latest"
[boards.visits]
title = "Visits"
aggregation = "count"
columns = [{ id = "seconds", aggregation = "sum" }]
[boards.league]
title = "League"
periods = ["week", "day"]
timezone = "Europe/Berlin"
[actions.lap]
board = "race"
points_range = [1, 600000]
columns = { penalty = 0 }
columns_range = { penalty = [0, 10], speed = [0, 500] }
title = "Lap"
[actions.hole]
board = "golf"
points = 4
points_range = [1, 20]
title = "Hole"
[actions.match]
board = "rating"
points_range = [0, 5000]
title = "Match"
[actions.visit]
board = "visits"
columns_range = { seconds = [0, 86400] }
title = "Visit"
[actions.win]
board = "league"
points = 3
title = "Win"
"""


@pytest.fixture
def kinds(tmp_path: Path, clock: HeldClock, deployment: dict[str, Any]) -> Iterator[Running]:
    """A server with a board of each kind, on Wednesday, 18 November 2026, at 12:06:40 in Berlin."""
    (tmp_path / "catalog.toml").write_text(CATALOG)
    settings = {**deployment, "rate_limit": UNLIMITED, "admin_on_public_port": True}
    with running(tmp_path, clock, **settings) as server:
        yield server


def submit(
    server: Running, user_id: str, action_id: str, key: str | None = None, **body: Any
) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {server.token('game', scopes=(WRITE_ANY_SCORES,))}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    body = {"actionId": action_id, "userId": user_id, **body}
    return server.client.post("/api/scores", json=body, headers=headers)


def counted(
    server: Running, user_id: str, action_id: str, key: str | None = None, **body: Any
) -> dict[str, Any]:
    response = submit(server, user_id, action_id, key, **body)
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


def rows(board: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(entry["rank"], entry["userId"], entry["score"]) for entry in board["entries"]]


def test_the_best_lap_of_each_player_counts_with_its_columns(kinds: Running) -> None:
    first = counted(kinds, "ada", "lap", points=61_250, columns={"speed": 200})
    assert (first["points"], first["score"], first["rank"]) == (61_250, 61_250, 1)
    assert first["columns"] == {"penalty": 0, "speed": 200}
    counted(kinds, "bob", "lap", points=61_250, columns={"speed": 210})
    slower = counted(kinds, "ada", "lap", points=70_000, columns={"penalty": 1, "speed": 100})
    assert (slower["points"], slower["score"], slower["rank"]) == (70_000, 61_250, 2)
    assert slower["columns"] == {"penalty": 1, "speed": 100}
    board = kinds.board(board="race")
    assert rows(board) == [(1, "bob", 61_250), (2, "ada", 61_250)]
    assert board["entries"][1]["columns"] == {"penalty": 0, "speed": 200}
    found = kinds.client.get("/api/leaderboard/rank", params={"board": "race", "userId": "ada"}).json()
    assert (found["columns"], found["pointsToNextRank"]) == ({"penalty": 0, "speed": 200}, 0)


REFUSALS: dict[str, tuple[str, dict[str, Any]]] = {
    "no points": ("points_required", {"columns": {"speed": 1}}),
    "too many points": ("points_out_of_range", {"points": 600_001, "columns": {"speed": 1}}),
    "no column": ("column_required", {"points": 1}),
    "a column out of range": ("column_out_of_range", {"points": 1, "columns": {"speed": 501}}),
    "another column": ("unknown_column", {"points": 1, "columns": {"wind": 1}}),
}


def test_a_submission_states_the_points_and_columns_that_the_board_needs(kinds: Running) -> None:
    for refusal, body in REFUSALS.values():
        assert code(submit(kinds, "ada", "lap", **body)) == (409, refusal)
    assert code(submit(kinds, "ada", "visit", points=2, columns={"seconds": 1})) == (
        409,
        "points_out_of_range",
    )
    assert kinds.board(board="race")["version"] == 0


def test_a_proof_states_points_and_columns(kinds: Running) -> None:
    proof = kinds.tokens.sign_proof("ada", "lap", "1", 61_250, {"speed": 7})
    body = {"actionId": "lap", "userId": "ada", "proof": proof}
    headers = {"Authorization": f"Bearer {kinds.token('ada')}"}
    answer = kinds.client.post("/api/scores", json=body, headers=headers)
    assert answer.status_code == 201
    assert (answer.json()["points"], answer.json()["columns"]) == (61_250, {"penalty": 0, "speed": 7})


def test_players_with_equal_scores_share_a_rank(kinds: Running) -> None:
    for user_id, strokes in (("ada", 3), ("bob", 4), ("cyd", 4), ("dan", 5)):
        counted(kinds, user_id, "hole", points=strokes)
    board = kinds.board(board="golf")
    assert rows(board) == [(1, "ada", 3), (2, "bob", 4), (2, "cyd", 4), (4, "dan", 5)]
    friends = kinds.board(board="golf", userIds="cyd,bob,dan")
    assert [entry["rankInSet"] for entry in friends["entries"]] == [1, 1, 3]
    found = kinds.client.get(
        "/api/leaderboard/rank", params={"board": "golf", "userId": "cyd", "neighbours": 0}
    ).json()
    assert (found["rank"], found["pointsToNextRank"], found["percentile"]) == (2, 1, 75)
    assert kinds.board(board="golf", cursor="", limit=2)["next"] is not None


def test_a_patch_carries_shared_ranks(kinds: Running) -> None:
    for number in range(9):
        counted(kinds, f"p{number}", "hole", points=3 + number)
    with kinds.watch("/api/leaderboard/stream?board=golf&delta=1") as watcher:
        watcher.frame()
        counted(kinds, "last", "hole", points=11)
        block = watcher.fields()
        patch = httpx2.Response(200, content=block["data"].encode()).json()
    assert block["event"] == "patch"
    assert [(entry["userId"], entry["rank"]) for entry in patch["entries"]] == [("last", 9)]
    assert (patch["indexes"], patch["ranks"]) == ([9], [1, 2, 3, 4, 5, 6, 7, 8, 9, 9])


def test_the_latest_rating_counts_and_the_newest_of_equal_ones_ranks_first(kinds: Running) -> None:
    for user_id, rating in (("ada", 1_500), ("bob", 1_400), ("ada", 1_400), ("cyd", 1_400)):
        counted(kinds, user_id, "match", points=rating)
    assert rows(kinds.board(board="rating")) == [(1, "cyd", 1_400), (2, "ada", 1_400), (3, "bob", 1_400)]


def test_submissions_are_counted_and_their_columns_added_up(kinds: Running) -> None:
    counted(kinds, "ada", "visit", columns={"seconds": 30})
    answer = counted(kinds, "ada", "visit", columns={"seconds": 12})
    assert (answer["points"], answer["score"], answer["columns"]) == (1, 2, {"seconds": 12})
    assert kinds.board(board="visits")["entries"][0]["columns"] == {"seconds": 42}


DAY = 86_400


def test_scores_count_for_each_open_period(kinds: Running) -> None:
    first = counted(kinds, "ada", "win", key="first")
    assert first["version"] == 3  # after the rollovers that begin the day and the week
    assert first["periods"] == {
        "2026-11-18": {"score": 3, "rank": 1},
        "2026-W47": {"score": 3, "rank": 1},
    }
    kinds.clock.advance(DAY)
    second = counted(kinds, "bob", "win")
    assert second["periods"] == {
        "2026-11-19": {"score": 3, "rank": 1},
        "2026-W47": {"score": 3, "rank": 2},
    }
    assert rows(kinds.board(board="league")) == [(1, "ada", 3), (2, "bob", 3)]
    today = kinds.board(board="league", period="day")
    assert (today["period"], rows(today)) == ("2026-11-19", [(1, "bob", 3)])
    again = counted(kinds, "ada", "win", key="first")
    assert (again["eventId"], again["score"], again["rank"]) == (first["eventId"], 3, 1)
    assert again["periods"] == {
        "2026-11-19": {"score": None, "rank": None},
        "2026-W47": {"score": 3, "rank": 1},
    }


def test_periods_are_read_by_kind_id_and_age(kinds: Running) -> None:
    counted(kinds, "ada", "win")
    kinds.clock.advance(DAY)
    counted(kinds, "bob", "win")
    yesterday = kinds.board(board="league", period="day", ago=1)
    assert (yesterday["period"], rows(yesterday)) == ("2026-11-18", [(1, "ada", 3)])
    assert kinds.board(board="league", period="2026-11-18") == yesterday
    assert kinds.board(board="league", period="2026-11-19", ago=1) == yesterday
    week = kinds.board(board="league", period="week")
    assert rows(week) == [(1, "ada", 3), (2, "bob", 3)]
    before = kinds.board(board="league", period="2026-W01")
    assert (before["entries"], before["players"], before["version"]) == ([], 0, 0)
    for unknown in ("month", "2026-11", "2026-11-20", "2026-W48"):
        refused = kinds.client.get("/api/leaderboard", params={"board": "league", "period": unknown})
        assert code(refused) == (404, "unknown_period")
    assert code(submit(kinds, "ada", "win", period="2026-11-18")) == (409, "period_over")
    assert submit(kinds, "ada", "win", period="2026-11-19").status_code == 201


def test_a_submission_after_the_end_of_a_period_is_in_the_next_one(kinds: Running) -> None:
    counted(kinds, "ada", "win")
    kinds.clock.advance(DAY / 2)
    counted(kinds, "bob", "win")
    today = kinds.board(board="league", period="day")
    assert (today["period"], rows(today)) == ("2026-11-19", [(1, "bob", 3)])


def test_a_board_without_events_has_empty_periods(kinds: Running) -> None:
    parameters = {"board": "league", "period": "week"}
    empty = kinds.board(**parameters)
    assert (empty["period"], empty["version"], empty["entries"]) == ("2026-W47", 0, [])
    assert kinds.board(**parameters, around="ada") == empty
    rank = kinds.client.get("/api/leaderboard/rank", params={**parameters, "userId": "ada"}).json()
    assert (rank["period"], rank["rank"], rank["above"]) == ("2026-W47", None, [])
    counted(kinds, "ada", "win")
    assert rows(kinds.board(**parameters, around="ada")) == [(1, "ada", 3)]


def test_questions_about_a_period_that_is_over_are_answered_from_its_standings(kinds: Running) -> None:
    for user_id, wins in (("ada", 3), ("bob", 2), ("cyd", 1)):
        for _ in range(wins):
            counted(kinds, user_id, "win")
    kinds.clock.advance(DAY)
    counted(kinds, "cyd", "win")
    board, past = "league", "2026-11-18"
    first = kinds.board(board=board, period=past, cursor="", limit=2)
    assert rows(first) == [(1, "ada", 9), (2, "bob", 6)]
    assert rows(kinds.board(board=board, period=past, cursor=first["next"], limit=2)) == [(3, "cyd", 3)]
    assert rows(kinds.board(board=board, period=past, around="cyd", limit=2)) == [
        (2, "bob", 6),
        (3, "cyd", 3),
    ]
    assert rows(kinds.board(board=board, period=past, userIds="cyd,ada")) == [(1, "ada", 9), (3, "cyd", 3)]
    parameters = {"board": board, "period": past}
    rank = kinds.client.get("/api/leaderboard/rank", params={**parameters, "userId": "bob"}).json()
    assert (rank["period"], rank["rank"], rank["players"]) == (past, 2, 3)
    cutoffs = kinds.client.get("/api/leaderboard/cutoffs", params={**parameters, "percent": "50"}).json()
    assert cutoffs["percent"] == [{"percent": 50, "rank": 2, "score": 6}]


def test_a_period_that_is_over_is_cacheable_and_changes_only_with_a_correction(kinds: Running) -> None:
    counted(kinds, "ada", "win")
    counted(kinds, "bob", "win")
    parameters = {"board": "league", "period": "2026-11-18"}
    assert kinds.client.get("/api/leaderboard", params=parameters).headers["Cache-Control"] == "no-cache"
    kinds.clock.advance(DAY)
    counted(kinds, "bob", "win")
    past = kinds.client.get("/api/leaderboard", params=parameters)
    assert past.headers["Cache-Control"] == "public, max-age=60"
    counted(kinds, "bob", "win")
    kinds.clock.advance(1)
    same = kinds.client.get(
        "/api/leaderboard", params=parameters, headers={"If-None-Match": past.headers["ETag"]}
    )
    assert same.status_code == 304
    admin(kinds, "ban", userId="ada")
    corrected = kinds.client.get("/api/leaderboard", params=parameters)
    assert rows(corrected.json()) == [(1, "bob", 3)]
    assert corrected.json()["version"] > past.json()["version"]


def test_open_periods_are_listed_with_their_times(kinds: Running) -> None:
    expected = [
        {
            "kind": "day",
            "id": "2026-11-18",
            "beginsAt": "2026-11-17T23:00:00.000000Z",
            "endsAt": "2026-11-18T23:00:00.000000Z",
        },
        {
            "kind": "week",
            "id": "2026-W47",
            "beginsAt": "2026-11-15T23:00:00.000000Z",
            "endsAt": "2026-11-22T23:00:00.000000Z",
        },
    ]
    boards = {board["id"]: board for board in kinds.client.get("/api/boards").json()["boards"]}
    assert boards["league"]["periods"] == expected
    assert boards["golf"]["periods"] == []
    assert [column["id"] for column in boards["race"]["columns"]] == ["penalty", "speed"]
    counted(kinds, "ada", "win")
    kinds.clock.advance(1)
    boards = {board["id"]: board for board in kinds.client.get("/api/boards").json()["boards"]}
    assert boards["league"]["periods"] == expected
