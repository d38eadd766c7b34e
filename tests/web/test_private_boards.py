"""Boards that only those may read who have a token; and tokens that stand where they must not."""

from collections.abc import Iterator
from html import escape
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
        response = private.client.get(
            path, params={name: token}, headers={"Authorization": f"Bearer {token}"}
        )
        assert (response.status_code, response.json()["code"]) == (400, "token_in_query")


def test_boards_are_everybodys_by_default(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock()) as scoreboard:
        response = scoreboard.client.get("/api/leaderboard")
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
        assert scoreboard.client.get("/api/leaderboard", params={"token": "x"}).status_code == 400


def test_the_page_of_a_private_server_tells_nothing_of_its_boards(private: Running) -> None:
    pages = {
        board: private.client.get("/", params={"board": board}) for board in ("main", "side", "none", '"><b>')
    }
    assert {page.status_code for page in pages.values()} == {200}
    # But for what was asked for, which is no news.
    alike = {page.text.replace(f'"{escape(board)}"', "") for board, page in pages.items()}
    assert len(alike) == 1
    for text in (private.client.get("/").text, *alike):
        assert "<title>Scoreboard</title>" in text
        assert not any(told in text for told in ("Main", "main<", '"main"', "Side", "<b>"))


def test_the_page_of_an_open_server_shows_its_boards(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock()) as scoreboard:
        assert "<title>Side</title>" in scoreboard.client.get("/?board=side").text
        assert 'board="main"' in scoreboard.client.get("/").text
        assert scoreboard.client.get("/?board=none").status_code == 404
