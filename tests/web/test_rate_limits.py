"""Limits of requests: what is told of them, and when the next one passes."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import Running, running

PLAYER = '"player";q=10;w=60'


def test_a_client_is_told_the_limit_and_when_it_is_used_up(scoreboard: Running) -> None:
    for _ in range(10):
        accepted = scoreboard.score()
        assert (accepted.headers["RateLimit-Policy"], accepted.headers.get("RateLimit")) == (PLAYER, None)
    scoreboard.clock.advance(18)
    # The second one is refused without asking the store.
    for _ in range(2):
        refused = scoreboard.score()
        assert refused.status_code == 429
        assert (refused.headers["RateLimit-Policy"], refused.headers["Retry-After"]) == (PLAYER, "42")
        assert refused.headers["RateLimit"] == '"player";r=0;t=42'


REFUSED = {401: (b"", "x"), 400: (b"", None), 404: (b'{"actionId":"none","userId":"ada"}', None)}


@pytest.mark.parametrize("status", REFUSED)
def test_every_refusal_tells_the_limit_of_its_route(scoreboard: Running, status: int) -> None:
    content, token = REFUSED[status]
    headers = {"Authorization": f"Bearer {token or scoreboard.token()}", "Content-Type": "application/json"}
    refused = scoreboard.client.post("/api/scores", content=content, headers=headers)
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (status, PLAYER)


def described(scoreboard: Running, path: str, method: str) -> dict[str, Any]:
    answers: dict[str, Any] = scoreboard.client.get("/openapi.json").json()["paths"][path][method]["responses"]
    return answers


def test_the_description_names_these_headers(scoreboard: Running) -> None:
    answers = described(scoreboard, "/api/scores", "post")
    assert all("RateLimit-Policy" in answer["headers"] for answer in answers.values())
    assert {"Retry-After", "RateLimit"} <= answers["429"]["headers"].keys()


def test_a_page_of_another_origin_sees_them(tmp_path: Path) -> None:
    origin = "https://game.example"
    with running(tmp_path, cors_origins=origin) as scoreboard:
        for path in ("/api/scores", "/api/leaderboard"):
            response = scoreboard.client.get(path, headers={"Origin": origin})
            exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
            assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= exposed
