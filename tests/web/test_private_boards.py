"""Boards that only those may read who have a token; and tokens that stand where they must not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running

PATHS = ["/api/leaderboard", "/api/leaderboard/stream", "/api/leaderboard?board=none"]


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), require_auth_to_read=True) as server:
        yield server


@pytest.mark.parametrize("path", PATHS)
def test_a_private_board_is_not_read_without_a_token(private: Running, path: str) -> None:
    for headers, code in (({}, "token_missing"), ({"Authorization": "Bearer x.y.z"}, "token_invalid")):
        response = private.client.get(path, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, code)
    head = private.client.head(path)
    assert head.status_code == 401


def test_whoever_has_a_token_reads_and_watches(private: Running) -> None:
    private.score("ada")
    private.client.headers["Authorization"] = f"Bearer {private.token('bob')}"
    response = private.client.get("/api/leaderboard")
    assert response.json()["version"] == 1
    # Nobody on the way may keep it for others.
    assert response.headers["Cache-Control"] == "private, no-cache"
    with private.watch() as watcher:
        assert watcher.frame()["version"] == 1


@pytest.mark.parametrize("name", ["access_token", "token", "Access_Token"])
def test_a_token_in_an_address_is_refused_even_if_it_is_good(private: Running, name: str) -> None:
    token = private.token()
    for path in ("/api/leaderboard", "/api/leaderboard/stream"):
        response = private.client.get(path, params={name: token}, headers={"Authorization": f"Bearer {token}"})
        assert (response.status_code, response.json()["code"]) == (400, "token_in_query")


def test_boards_are_everybodys_by_default(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock()) as scoreboard:
        response = scoreboard.client.get("/api/leaderboard")
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
        assert scoreboard.client.get("/api/leaderboard", params={"token": "x"}).status_code == 400
