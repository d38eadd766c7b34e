"""Private boards, and tokens in URLs."""

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
def test_a_private_board_requires_a_token(private: Running, path: str) -> None:
    for headers, code in (({}, "token_missing"), ({"Authorization": "Bearer x.y.z"}, "token_invalid")):
        response = private.client.get(path, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, code)
    head = private.client.head(path)
    assert head.status_code == 401


def test_a_token_allows_reads_and_streams(private: Running) -> None:
    private.score("ada")
    private.client.headers["Authorization"] = f"Bearer {private.token('bob')}"
    response = private.client.get("/api/leaderboard")
    assert response.json()["version"] == 1
    # Shared caches must not store it.
    assert response.headers["Cache-Control"] == "private, no-cache"
    with private.watch() as watcher:
        assert watcher.frame()["version"] == 1


@pytest.mark.parametrize("name", ["access_token", "token", "Access_Token"])
def test_a_token_in_a_url_is_refused_even_if_it_is_valid(private: Running, name: str) -> None:
    token = private.token()
    for path in ("/api/leaderboard", "/api/leaderboard/stream"):
        response = private.client.get(
            path, params={name: token}, headers={"Authorization": f"Bearer {token}"}
        )
        assert (response.status_code, response.json()["code"]) == (400, "token_in_query")


def test_boards_are_public_by_default(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock()) as scoreboard:
        response = scoreboard.client.get("/api/leaderboard")
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
        assert scoreboard.client.get("/api/leaderboard", params={"token": "x"}).status_code == 400


def test_the_page_of_a_private_server_shows_nothing_of_its_boards(private: Running) -> None:
    pages = {
        board: private.client.get("/", params={"board": board}) for board in ("main", "side", "none", '"><b>')
    }
    assert {page.status_code for page in pages.values()} == {200}
    # Except for the board id of the request.
    alike = {page.text.replace(f'"{escape(board)}"', "") for board, page in pages.items()}
    assert len(alike) == 1
    for text in (private.client.get("/").text, *alike):
        assert "<title>Scoreboard</title>" in text
        assert not any(told in text for told in ("Main", "main<", '"main"', "Side", "<b>"))
