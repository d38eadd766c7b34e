"""Corrections and searches of administrators over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.web.administrator import admin, ask_admin
from tests.web.problems import assert_problem, code


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        yield server


def ranks(server: Running, board: str = "main") -> list[tuple[str, int]]:
    return [(entry["userId"], entry["score"]) for entry in server.board(board=board)["entries"]]


def kinds(server: Running, user_id: str = "ada") -> list[tuple[str, bool]]:
    return [(e["kind"], e["isVoid"]) for e in admin(server, "history", userId=user_id)["events"]]


def test_a_banned_player_leaves_the_board_at_once_and_cannot_score(server: Running) -> None:
    for user_id in ("ada", "bob"):
        server.score(user_id)
    with server.watch() as watcher:
        watcher.frame()
        assert admin(server, "ban", userId="ada") == {"events": 1, "versions": {"main": 3}}
        assert admin(server, "ban", userId="ada") == {"events": 0, "versions": {}}
        assert [entry["userId"] for entry in watcher.frame()["entries"]] == ["bob"]
    assert code(server.score("ada")) == (403, "player_banned")
    assert code(server.score("ada", "visit")) == (403, "player_banned")
    assert ranks(server) == [("bob", 50)]


def test_a_banned_player_over_the_rate_limit_learns_of_the_ban(server: Running) -> None:
    statuses = [server.score("ada").status_code for _ in range(12)]
    assert statuses[-1] == 429
    admin(server, "ban", userId="ada")
    assert code(server.score("ada")) == (403, "player_banned")


def test_an_unban_restores_the_score_and_the_rank(server: Running) -> None:
    for user_id in ("ada", "bob"):
        server.score(user_id)
        server.score(user_id, "visit")
    admin(server, "ban", userId="ada")
    assert admin(server, "unban", userId="ada")["versions"] == {"main": 4, "side": 4}
    assert admin(server, "unban", userId="ada") == {"events": 0, "versions": {}}
    assert (ranks(server), ranks(server, "side")) == ([("ada", 50), ("bob", 50)], [("ada", 5), ("bob", 5)])
    assert server.score("ada").json()["score"] == 100


def test_a_void_event_does_not_count_until_the_void_is_undone(server: Running) -> None:
    server.score()
    server.score("ada", "duel")
    assert admin(server, "void", board="main", version=1)["events"] == 1
    assert admin(server, "void", board="main", version=1)["events"] == 0
    assert ranks(server) == [("ada", 30)]
    assert kinds(server) == [("void", False), ("award", False), ("award", True)]
    assert admin(server, "unvoid", board="main", version=1)["events"] == 1
    assert admin(server, "unvoid", board="main", version=1)["events"] == 0
    assert ranks(server) == [("ada", 80)]
    assert kinds(server) == [("unvoid", False), ("void", False), ("award", False), ("award", False)]


def test_all_awards_of_a_player_since_a_time_are_voided(server: Running) -> None:
    server.score()
    server.clock.advance(60)
    server.score("bob")
    server.score("ada", "duel")
    server.score("ada", "visit")
    since = admin(server, "history", userId="ada")["events"][0]["at"]
    assert admin(server, "void-since", userId="ada", since=since)["events"] == 2
    assert (ranks(server), ranks(server, "side")) == ([("ada", 50), ("bob", 50)], [("ada", 0)])
    assert admin(server, "void-since", userId="ada", since=since)["events"] == 0


def test_an_adjustment_with_the_same_key_counts_once(server: Running) -> None:
    server.score()
    for _ in range(2):
        adjusted = admin(server, "adjust", key="k", userId="ada", board="main", points=-20)
        assert adjusted == {"events": 1, "versions": {"main": 2}}
    other = ask_admin(server, "adjust", key="k", userId="ada", board="main", points=-30)
    assert code(other) == (422, "idempotency_key_reused")
    assert ranks(server) == [("ada", 30)]
    admin(server, "adjust", userId="ada", board="side", points=7)
    assert ranks(server, "side") == [("ada", 7)]


def test_an_erased_player_is_unknown_and_can_start_again(server: Running) -> None:
    server.score("ada", name="Ada Lovelace")
    server.score("bob")
    admin(server, "erase", userId="ada")
    assert ranks(server) == [("bob", 50)]
    assert code(ask_admin(server, "history", userId="ada")) == (404, "unknown_player")
    assert admin(server, "players", search="")["players"][0]["userId"] == "bob"
    assert len(admin(server, "players", search="")["players"]) == 1
    assert admin(server, "events")["events"][0]["userId"] is None
    assert server.score("ada").json()["score"] == 50
    assert [event.score for event in server.ledger()] == [50, 50, 50, 50]


def test_players_are_found_by_id_and_by_name(server: Running) -> None:
    server.score("ada", name="Countess")
    server.score("adam")
    server.score("bob", name="Ada's friend")
    for search, found in {
        "ada": ["ada", "adam", "bob"], "adam": ["adam"], "COUNT": ["ada"], "%": [], "": ["ada", "adam", "bob"]
    }.items():  # fmt: skip
        assert [p["userId"] for p in admin(server, "players", search=search)["players"]] == found
    (ada,) = admin(server, "players", search="Countess")["players"]
    assert ada == {
        "userId": "ada", "name": "Countess", "isBanned": False, "submissions": 1,
        "standings": [{"board": "main", "score": 50, "listed": True, "version": 1}],
    }  # fmt: skip


def test_the_audit_log_has_actors_and_reasons_in_pages(server: Running) -> None:
    server.score()
    for _ in range(3):
        admin(server, "ban", userId="ada", reason="cheats")
        admin(server, "unban", userId="ada", reason="proved innocent")
    seen: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    while True:
        page = admin(server, "events", limit=2, **before)
        seen += page["events"]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert [(e["kind"], e["actor"], e["reason"]) for e in seen] == [
        ("unban", "root", "proved innocent"), ("ban", "root", "cheats")
    ] * 3  # fmt: skip
    assert [e["version"] for e in seen] == [7, 6, 5, 4, 3, 2]


def test_the_provenance_of_an_event_contains_no_address(server: Running) -> None:
    server.score("ada")
    server.score("bob")
    (ada,) = admin(server, "history", userId="ada")["events"]
    (bob,) = admin(server, "history", userId="bob")["events"]
    assert ada["tokenId"] != bob["tokenId"]
    assert ada["address"] == bob["address"] != ada["agent"] == bob["agent"]
    assert "127.0.0.1" not in str(ada)


def test_suspects_are_listed_with_their_figures(server: Running) -> None:
    for _ in range(12):
        server.score("machine")
        server.clock.advance(30)
    server.score("ada")
    (found,) = admin(server, "suspects", behindAddress=3)["suspects"]
    assert (found["userId"], found["reasons"], found["awards"]) == ("machine", ["regular"], 12)
    assert (found["intervalSeconds"], found["irregularity"], found["mostAnHour"]) == (30.0, 0.0, 12)
    crowd = admin(server, "suspects", behindAddress=2)["suspects"]
    assert [(s["userId"], s["reasons"]) for s in crowd] == [
        ("machine", ["regular", "address"]),
        ("ada", ["address"]),
    ]
    assert admin(server, "suspects", days=0.0001)["suspects"] == []


@pytest.mark.parametrize(
    ("name", "body", "refusal"),
    [
        ("ban", {"userId": "nobody"}, (404, "unknown_player")),
        ("adjust", {"userId": "ada", "board": "none", "points": 1}, (404, "unknown_board")),
        ("adjust", {"userId": "ada", "board": "main", "points": 2**53 - 1}, (409, "score_out_of_range")),
        ("void", {"board": "main", "version": 99}, (404, "unknown_event")),
        ("void", {"board": "main", "version": 2}, (409, "event_not_voidable")),
        ("void", {"board": "main", "version": 0}, (422, "validation_failed")),
        ("ban", {"userId": "ada", "reason": ""}, (422, "validation_failed")),
        ("void-since", {"userId": "ada", "since": "2026-11-24T10:00:00"}, (422, "validation_failed")),
        ("events", {"before": "nonsense"}, (422, "validation_failed")),
    ],
)
def test_an_impossible_correction_is_refused_and_changes_nothing(
    server: Running, name: str, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    server.score()
    admin(server, "ban", userId="ada")
    response = ask_admin(server, name, **body)
    assert code(response) == refusal
    if name == "events":
        assert [error["field"] for error in response.json()["errors"]] == ["before"]
    assert server.board()["version"] == 2


@pytest.mark.parametrize("scopes", [(), ("scores:write",), ("scores:write:any",)])
def test_other_tokens_are_refused(server: Running, scopes: tuple[str, ...]) -> None:
    server.score()
    headers = {"Authorization": f"Bearer {server.token('ada', scopes=scopes)}"}
    paths = server.client.get("/openapi.json").json()["paths"]
    for path in filter(lambda path: path.startswith("/api/admin/"), paths):
        for method, operation in paths[path].items():
            assert_problem(server.client.request(method, path, headers=headers), 403, "insufficient_scope")
            assert_problem(server.client.request(method, path), 401, "token_missing")
            assert operation["responses"].keys() >= {"401", "403"}


def admin_operations(document: dict[str, Any]) -> list[str]:
    return [path for path in document["paths"] if path.startswith("/api/admin/")]


@pytest.mark.parametrize("admin_port", [None, 0])
def test_the_public_port_does_not_show_the_admin_routes(
    server: Running, tmp_path_factory: pytest.TempPathFactory, admin_port: int | None
) -> None:
    paths = admin_operations(server.client.get("/openapi.json").json())
    assert len(paths) > 10
    # The harness opens only the public port.
    with running(tmp_path_factory.mktemp("public"), HeldClock(), admin_port=admin_port) as public:
        nothing = public.client.get("/no-such-path")
        for path in (*paths, "/admin", "/admin/admin.js", "/admin/admin.css"):
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
                answer = public.client.request(method, path, headers={"Host": "127.0.0.1:0"})
                assert (answer.status_code, answer.headers.get("allow")) == (404, None)
                assert method == "HEAD" or answer.content == nothing.content
        document = public.client.get("/openapi.json")
        assert admin_operations(document.json()) == []
        assert "/api/admin" not in document.text.replace("scoreboard:admin", "")
        assert document.json()["paths"].keys() >= {"/api/scores", "/api/leaderboard", "/health/ready"}
