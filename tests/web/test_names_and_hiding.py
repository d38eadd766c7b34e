"""Renames by administrators and trusted servers, and hiding, over HTTP in both deployments."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from scoreboard.app import make_ranking, make_store
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.services.verify import verify
from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.making import MAIN, SIDE
from tests.servers.postgresql import apart
from tests.web.administrator import admin, ask_admin
from tests.web.problems import code


@pytest.fixture
def server(tmp_path: Path, deployment: dict[str, Any]) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), admin_on_public_port=True, **deployment) as server:
        yield server


def trusted(server: Running) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token('game', scopes=(WRITE_ANY_SCORES,))}"}


def put_name(server: Running, user_id: str, name: str | None, **headers: str) -> httpx2.Response:
    path = f"/api/players/{quote(user_id, safe='')}/name"
    return server.client.put(path, json={"name": name}, headers=headers or trusted(server))


def names(server: Running, board: str = "main") -> list[str]:
    return [entry["name"] for entry in server.board(board=board)["entries"]]


def differences(server: Running) -> list[str]:
    """Return the findings of `verify` for the ledger and the server's ranking."""

    async def look() -> list[str]:
        found: list[str] = []
        async with (
            make_store(server.settings) as store,
            make_ranking(server.settings, {"main": MAIN, "side": SIDE}) as ranking,
        ):
            for board in ("main", "side"):
                found += (await verify(store, ranking, board, lambda *_: None)).differences
        return found

    return apart(look())


def test_a_player_can_be_hidden_before_the_first_score(server: Running) -> None:
    server.score("bob")
    assert admin(server, "hide", userId="ada", reason="staff") == {"events": 1, "versions": {"main": 2}}
    assert admin(server, "hide", userId="ada") == {"events": 0, "versions": {}}
    (event,) = admin(server, "events")["events"]
    assert (event["userId"], event["actor"], event["reason"]) == ("ada", "root", "staff")
    assert code(ask_admin(server, "void", board="main", version=2)) == (409, "event_not_voidable")
    for action in ("quest", "quest", "visit"):
        answer = server.score("ada", action)
        assert answer.status_code == 201
        assert answer.json()["rank"] is None
    assert names(server) == ["bob"]
    assert names(server, "side") == []
    admin(server, "void", board="main", version=4)
    admin(server, "unvoid", board="main", version=4)
    assert differences(server) == []
    admin(server, "show", userId="ada")
    assert names(server) == ["ada", "bob"]
    assert names(server, "side") == ["ada"]
    assert differences(server) == []


def test_a_replaced_name_stays_replaced_on_every_board_and_stream(server: Running) -> None:
    server.score("ada", name="Rude Word")
    server.score("ada", "visit", name="Rude Word")
    with server.watch() as watcher, server.watch("/api/leaderboard/stream?board=side") as other:
        assert watcher.frame()["entries"][0]["name"] == other.frame()["entries"][0]["name"] == "Rude Word"
        assert admin(server, "rename", userId="ada", name="Ada") == {
            "events": 2,
            "versions": {"main": 2, "side": 2},
        }
        assert watcher.frame()["entries"][0]["name"] == other.frame()["entries"][0]["name"] == "Ada"
    for action in ("quest", "visit"):
        assert server.score("ada", action, name="Rude Word").status_code == 201
    assert names(server) == names(server, "side") == ["Ada"]
    assert admin(server, "rename", userId="ada", name="Ada") == {"events": 0, "versions": {}}
    assert differences(server) == []


def test_a_cleared_name_shows_the_user_id_until_it_is_released(server: Running) -> None:
    server.score("ada", name="Rude Word")
    admin(server, "rename", userId="ada", name=None)
    server.score("ada", name="Rude Word")
    assert names(server) == ["ada"]
    assert admin(server, "release-name", userId="ada")["events"] == 1
    assert admin(server, "release-name", userId="ada")["events"] == 0
    assert names(server) == ["ada"]
    server.score("ada", name="Ada")
    assert names(server) == ["Ada"]
    server.score("ada", name="Countess")
    assert names(server) == ["Countess"]
    assert differences(server) == []


def test_the_audit_log_has_who_renamed_and_names_are_stored_only_with_the_player(
    tmp_path: Path,
) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        server.score("ada", name="Rude Word")
        admin(server, "rename", userId="ada", name="Kinder Word", reason="an insult")
        put_name(server, "ada", "Other Word")
        (event,) = admin(server, "events")["events"]
        assert [event[key] for key in ("kind", "actor", "reason", "points")] == [
            "rename",
            "root",
            "an insult",
            0,
        ]
        (player,) = admin(server, "players", search="ada")["players"]
        assert (player["name"], player["isNameKept"], player.get("isHidden")) == ("Kinder Word", True, None)
        with sqlite3.connect(server.settings.database_path) as file:
            kept = [
                file.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("score_events", "corrections", "standings", "boards")
            ]
        file.close()
        assert "Word" not in str(kept)


def test_renames_do_not_count_for_the_rate_limit_of_players(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True, rate_limit="3/minute") as server:
        for number in range(3):
            assert server.score("ada").status_code == 201
            admin(server, "rename", userId="ada", name=f"Ada {number}")
        assert code(server.score("ada")) == (429, "rate_limited")
        server.clock.advance(60)
        assert [server.score("ada").status_code for _ in range(4)] == [201, 201, 201, 429]
        assert differences(server) == []


def test_a_hidden_player_still_scores_and_is_on_no_board(server: Running) -> None:
    for user_id in ("ada", "bob"):
        server.score(user_id)
    with server.watch() as watcher:
        watcher.frame()
        assert admin(server, "hide", userId="ada") == {"events": 1, "versions": {"main": 3}}
        assert [entry["userId"] for entry in watcher.frame()["entries"]] == ["bob"]
    assert admin(server, "hide", userId="ada")["events"] == 0
    answer = server.score("ada", key="k").json()
    assert (answer["score"], answer["rank"]) == (100, None)
    assert server.score("ada", key="k").json()["rank"] is None
    # The first score on another board.
    answer = server.score("ada", "visit").json()
    assert (answer["score"], answer["rank"], answer["version"]) == (5, None, 1)
    assert server.score("bob", "visit").json()["rank"] == 1
    assert (names(server), names(server, "side")) == (["bob"], ["bob"])
    assert (server.board()["players"], server.board(board="side")["players"]) == (1, 1)
    assert differences(server) == []
    assert admin(server, "show", userId="ada")["versions"] == {"main": 5, "side": 3}
    assert (names(server), names(server, "side")) == (["ada", "bob"], ["ada", "bob"])
    assert admin(server, "show", userId="ada")["events"] == 0
    assert differences(server) == []


@pytest.mark.parametrize(
    ("steps", "is_listed"),
    [
        (("hide", "ban", "unban"), False),
        (("ban", "hide", "unban"), False),
        (("hide", "ban", "show"), False),
        (("ban", "hide", "show"), False),
        (("hide", "ban", "unban", "show"), True),
        (("hide", "ban", "show", "unban"), True),
        (("ban", "hide", "unban", "show"), True),
    ],
)
def test_bans_and_hiding_are_independent(tmp_path: Path, steps: tuple[str, ...], is_listed: bool) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        for user_id in ("ada", "bob"):
            server.score(user_id)
        for step in steps:
            assert admin(server, step, userId="ada")["events"] == 1
            assert admin(server, step, userId="ada")["events"] == 0
        assert names(server) == (["ada", "bob"] if is_listed else ["bob"])
        is_banned = server.score("ada").status_code == 403
        assert is_banned == ("ban" in steps and "unban" not in steps)
        assert differences(server) == []


@pytest.mark.parametrize(("correction", "reverse"), [("hide", "show"), ("ban", "unban")])
def test_an_adjustment_does_not_list_a_hidden_or_banned_player(
    server: Running, correction: str, reverse: str
) -> None:
    server.score("ada")
    admin(server, correction, userId="ada")
    admin(server, "adjust", userId="ada", board="side", points=7)
    assert names(server, "side") == []
    admin(server, reverse, userId="ada")
    assert names(server, "side") == ["ada"]
    assert differences(server) == []


def test_a_trusted_server_names_a_player_with_a_score(server: Running) -> None:
    body = {"actionId": "quest", "userId": "ada", "name": "Ada"}
    assert server.client.post("/api/scores", json=body, headers=trusted(server)).status_code == 201
    assert names(server) == ["Ada"]
    own = {"Authorization": f"Bearer {server.token('ada', 'Countess')}"}
    assert code(server.client.post("/api/scores", json=body, headers=own)) == (403, "name_not_yours")
    assert server.board()["version"] == 1
    assert server.score("ada", name="Countess").status_code == 201
    assert names(server) == ["Countess"]
    admin(server, "rename", userId="ada", name="Set")
    assert server.client.post("/api/scores", json=body, headers=trusted(server)).status_code == 201
    assert names(server) == ["Set"]
    admin(server, "release-name", userId="ada")
    for given, shown in {"\u202eaDa\u202c": "aDa", "\u200b\u2060": "aDa"}.items():
        again = server.client.post("/api/scores", json={**body, "name": given}, headers=trusted(server))
        assert (again.status_code, names(server)) == (201, [shown])
    for bad in ("", "x" * 129, "a\nb", 5):
        refused = server.client.post("/api/scores", json={**body, "name": bad}, headers=trusted(server))
        assert code(refused) == (422, "validation_failed"), bad


@pytest.mark.parametrize("user_id", ["ada", "google/1 2", "ünï|code?#%", "a/name"])
def test_a_trusted_server_renames_a_player_without_a_score(tmp_path: Path, user_id: str) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True) as server:
        server.score(user_id)
        server.score(user_id, "visit")
        with server.watch() as watcher:
            watcher.frame()
            answer = put_name(server, user_id, "Ada Lovelace")
            assert (answer.status_code, answer.json()) == (
                200,
                {"userId": user_id, "name": "Ada Lovelace", "versions": {"main": 2, "side": 2}},
            )
            assert watcher.frame()["entries"][0]["name"] == "Ada Lovelace"
        assert put_name(server, user_id, "Ada Lovelace").json()["versions"] == {}
        events = admin(server, "events")["events"]
        assert {(e["kind"], e["actor"], e["reason"], e["userId"]) for e in events} == {
            ("rename", "game", "Renamed by a trusted server.", user_id)
        }
        assert put_name(server, user_id, "\u2066\u2069").json()["name"] is None
        assert names(server) == [user_id]
        server.score(user_id, name="Own")
        assert names(server) == ["Own"]


def test_a_refused_rename_has_a_reason(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), admin_on_public_port=True, server_rate_limit="20/minute") as server:
        server.score("ada", name="Ada")
        own = {"Authorization": f"Bearer {server.token('ada', scopes=('scores:write',))}"}
        assert code(put_name(server, "ada", "X", **own)) == (403, "insufficient_scope")
        assert code(server.client.put("/api/players/ada/name", json={"name": "X"})) == (401, "token_missing")
        assert code(put_name(server, "nobody", "X")) == (404, "unknown_player")
        assert code(put_name(server, "ada", "a\nb")) == (422, "validation_failed")
        assert code(server.client.put("/api/players/ada/name", json={}, headers=trusted(server))) == (
            422,
            "validation_failed",
        )
        assert code(put_name(server, "x" * 129, "X")) == (422, "validation_failed")
        admin(server, "rename", userId="ada", name="Set")
        assert code(put_name(server, "ada", "X")) == (409, "name_kept")
        assert names(server) == ["Set"]
        admin(server, "release-name", userId="ada")
        assert put_name(server, "ada", "X").status_code == 200
        statuses = {put_name(server, "ada", f"X{number}").status_code for number in range(20)}
        assert statuses == {200, 429}


def test_concurrent_names_on_two_boards_end_as_the_newest(tmp_path: Path, deployment: dict[str, Any]) -> None:
    """Send concurrent submissions and renames of one player. All boards end with the name in the store."""
    with running(
        tmp_path, HeldClock(), admin_on_public_port=True, rate_limit="1000/minute", **deployment
    ) as server:
        server.score("ada", name="Ada")
        server.score("ada", "visit", name="Ada")

        def submit(action: str) -> None:
            for number in range(10):
                assert server.score("ada", action, name=f"{action} {number}").status_code == 201

        def rename() -> None:
            for number in range(10):
                assert put_name(server, "ada", f"name {number}").status_code == 200

        with ThreadPoolExecutor(3) as together:
            each = [
                together.submit(submit, "quest"),
                together.submit(submit, "visit"),
                together.submit(rename),
            ]
        for done in each:
            done.result()
        admin(server, "rename", userId="ada", name="The Last")
        assert names(server) == names(server, "side") == ["The Last"]
        assert differences(server) == []
