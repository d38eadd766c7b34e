"""Reads of a board by cursor, around a player, of some players, of a rank, and of cutoffs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import HeldClock
from tests.harness import UNLIMITED, Running, running
from tests.web.administrator import admin
from tests.web.problems import code

RANK = "/api/leaderboard/rank"
CUTOFFS = "/api/leaderboard/cutoffs"


@pytest.fixture
def league(tmp_path: Path, clock: HeldClock, deployment: dict[str, Any]) -> Iterator[Running]:
    """A board with 12 players: `p0` has 600 points, `p1` 550, and so on."""
    settings = {**deployment, "rate_limit": UNLIMITED, "admin_on_public_port": True}
    with running(tmp_path, clock, **settings) as server:
        for number in range(12):
            assert server.score(f"p{number}").status_code == 201
            if number < 11:
                admin(server, "adjust", userId=f"p{number}", board="main", points=50 * (11 - number))
        yield server


def get(server: Running, path: str, **parameters: Any) -> dict[str, Any]:
    response = server.client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def users(document: dict[str, Any]) -> list[str]:
    return [entry["userId"] for entry in document["entries"]]


def test_pages_that_follow_a_cursor_have_each_player_who_does_not_move_once(league: Running) -> None:
    first = league.board(cursor="", limit=5)
    assert users(first) == ["p0", "p1", "p2", "p3", "p4"]
    league.score("p9", "prize")
    second = league.board(cursor=first["next"], limit=5)
    assert users(second) == ["p5", "p6", "p7", "p8", "p10"]
    assert [entry["rank"] for entry in second["entries"]] == [7, 8, 9, 10, 11]
    assert second["version"] == first["version"] + 1
    last = league.board(cursor=second["next"], limit=5)
    assert (users(last), last["next"]) == (["p11"], None)


@pytest.mark.parametrize("cursor", ["MQ", "abcde", "MSwx", "MSwxLDIsMyw0"])
def test_a_cursor_of_something_else_is_refused(server: Running, cursor: str) -> None:
    refused = server.client.get("/api/leaderboard", params={"cursor": cursor})
    assert code(refused) == (400, "cursor_invalid")


def test_a_board_is_read_around_a_player(league: Running) -> None:
    middle = league.board(around="p6", limit=5)
    assert users(middle) == ["p4", "p5", "p6", "p7", "p8"]
    assert [entry["rank"] for entry in middle["entries"]] == [5, 6, 7, 8, 9]
    assert users(league.board(around="p0", limit=3)) == ["p0", "p1", "p2"]
    assert users(league.board(around="p11", limit=3)) == ["p9", "p10", "p11"]
    unknown = league.board(around="nobody")
    assert (unknown["entries"], unknown["players"], unknown["version"]) == ([], 12, middle["version"])


def test_some_players_are_ranked_on_the_board_and_in_their_set(league: Running) -> None:
    friends = league.board(userIds="p7,nobody,p2,p2,p11")
    assert [(entry["userId"], entry["rank"], entry["rankInSet"]) for entry in friends["entries"]] == [
        ("p2", 3, 1),
        ("p7", 8, 2),
        ("p11", 12, 3),
    ]
    assert friends["unknown"] == ["nobody"]
    assert (league.board(userIds="nobody")["entries"], friends["players"]) == ([], 12)


def test_at_most_a_hundred_players_are_read_at_once(server: Running) -> None:
    asked = {"userIds": ",".join(f"p{number}" for number in range(100))}
    assert len(get(server, "/api/leaderboard", **asked)["unknown"]) == 100
    for wrong in (f"{asked['userIds']},p100", "", "p1,,p2", "x" * 129):
        refused = server.client.get("/api/leaderboard", params={"userIds": wrong})
        assert code(refused) == (422, "validation_failed")
        assert [mistake["field"] for mistake in refused.json()["errors"]] == ["userIds"]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"offset": "1", "around": "ada"}, "“offset” and “around”"),
        ({"cursor": "", "userIds": "ada"}, "“cursor” and “userIds”"),
        ({"around": "ada", "userIds": "ada"}, "“around” and “userIds”"),
    ],
)
def test_two_parameters_that_choose_rows_exclude_each_other(
    server: Running, parameters: dict[str, str], named: str
) -> None:
    refused = server.client.get("/api/leaderboard", params=parameters)
    assert code(refused) == (400, "conflicting_parameters")
    assert named in refused.json()["detail"]


def test_a_rank_has_the_rows_above_and_below(league: Running) -> None:
    found = get(league, RANK, userId="p5", neighbours=2)
    assert [entry["userId"] for entry in found.pop("above")] == ["p3", "p4"]
    assert [entry["userId"] for entry in found.pop("below")] == ["p6", "p7"]
    row = league.board(offset=5, limit=1)
    assert found == {
        **{name: row[name] for name in ("board", "version", "updatedAt", "players")},
        **row["entries"][0],
        "percentile": 58.33,
        "pointsToNextRank": 50,
    }
    first = get(league, RANK, userId="p0")
    assert (first["rank"], first["percentile"], first["pointsToNextRank"]) == (1, 100, None)
    assert (first["above"], len(first["below"])) == ([], 3)
    alone = get(league, RANK, userId="p5", neighbours=0)
    assert (alone["rank"], alone["above"], alone["below"], alone["pointsToNextRank"]) == (6, [], [], 50)


def test_a_player_without_a_rank_gets_the_last_rows(league: Running) -> None:
    found = get(league, RANK, userId="nobody", neighbours=2)
    assert (found["userId"], found["rank"], found["score"]) == ("nobody", None, None)
    assert (found["percentile"], found["pointsToNextRank"], found["players"]) == (None, None, 12)
    assert [(entry["rank"], entry["userId"]) for entry in found["above"]] == [(11, "p10"), (12, "p11")]
    assert found["below"] == []


def test_cutoffs_are_the_scores_at_ranks_and_percentages(league: Running) -> None:
    found = get(league, CUTOFFS, ranks="1,10,100", percent="25,0.5")
    assert found["ranks"] == [
        {"rank": 1, "score": 600},
        {"rank": 10, "score": 150},
        {"rank": 100, "score": None},
    ]
    assert found["percent"] == [
        {"percent": 25, "rank": 3, "score": 500},
        {"percent": 0.5, "rank": 1, "score": 600},
    ]
    assert (found["players"], found["version"]) == (12, league.board()["version"])
    assert [cutoff["rank"] for cutoff in get(league, CUTOFFS)["ranks"]] == [1, 10, 100]
    assert get(league, CUTOFFS, percent="100")["ranks"] == []


def test_an_empty_board_has_no_ranks_and_no_cutoffs(server: Running) -> None:
    empty = get(server, CUTOFFS, board="side", ranks="1", percent="1")
    assert empty["ranks"] == [{"rank": 1, "score": None}]
    assert empty["percent"] == [{"percent": 1, "rank": None, "score": None}]
    assert (empty["version"], empty["updatedAt"], empty["players"]) == (0, None, 0)
    found = get(server, RANK, board="side", userId="ada")
    assert (found["rank"], found["above"]) == (None, [])


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        (RANK, {}, "userId"),
        (RANK, {"userId": ""}, "userId"),
        (RANK, {"userId": "ada", "neighbours": "51"}, "neighbours"),
        (CUTOFFS, {"ranks": "0"}, "ranks"),
        (CUTOFFS, {"ranks": "1,"}, "ranks"),
        (CUTOFFS, {"percent": "101"}, "percent"),
        ("/api/leaderboard", {"period": "year"}, "period"),
        ("/api/leaderboard", {"period": "all", "ago": "-1"}, "ago"),
    ],
)
def test_a_malformed_parameter_is_named(
    server: Running, path: str, parameters: dict[str, str], field: str
) -> None:
    refused = server.client.get(path, params=parameters)
    assert code(refused) == (422, "validation_failed")
    assert [mistake["field"] for mistake in refused.json()["errors"]] == [field]


@pytest.mark.parametrize("period", ["day", "week", "2026-11-18", "2026-W47", "2026-11", "2026-13", "9999-12"])
def test_a_board_without_periods_is_only_read_for_all_time(server: Running, period: str) -> None:
    assert code(server.client.get("/api/leaderboard", params={"period": period})) == (404, "unknown_period")
    assert server.board(period="all") == server.board()


def test_a_banned_player_is_unknown_and_has_no_rank(league: Running) -> None:
    assert league.board(userIds="p3")["unknown"] == []
    admin(league, "ban", userId="p3")
    assert league.board(userIds="p3,p4")["unknown"] == ["p3"]
    assert users(league.board(around="p3")) == []
    assert get(league, RANK, userId="p3")["rank"] is None
    assert get(league, RANK, userId="p4")["rank"] == 4


def test_without_a_ranking_pages_are_answered_and_other_reads_are_refused(
    tmp_path: Path, clock: HeldClock, migrated_url: str
) -> None:
    settings: dict[str, Any] = {"database_url": migrated_url, "redis_url": "redis://127.0.0.1:1"}
    with running(tmp_path, clock, **settings) as server:
        assert server.score("ada").status_code == 201
        server.clock.advance(1)
        assert users(server.board()) == users(server.board(cursor="")) == ["ada"]
        for path, parameters in (
            ("/api/leaderboard", {"around": "ada"}),
            ("/api/leaderboard", {"userIds": "ada"}),
            (RANK, {"userId": "ada"}),
            (CUTOFFS, {}),
        ):
            refused = server.client.get(path, params=parameters)
            assert code(refused) == (503, "ranking_unavailable")
            assert refused.headers["Retry-After"] == "1"


def test_an_unchanged_answer_is_not_sent_again(league: Running) -> None:
    for path, parameters in (
        ("/api/leaderboard", {"around": "p3"}),
        ("/api/leaderboard", {"cursor": ""}),
        (RANK, {"userId": "p3"}),
        (CUTOFFS, {}),
    ):
        first = league.client.get(path, params=parameters)
        assert first.headers["Cache-Control"] == "no-cache"
        tag = {"If-None-Match": first.headers["ETag"]}
        again = league.client.get(path, params=parameters, headers=tag)
        assert (again.status_code, again.content) == (304, b"")
    league.score("p3")
    assert league.client.get(RANK, params={"userId": "p3"}, headers=tag).status_code == 200
