"""Rate limits: their headers, and when the next request is accepted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running

PLAYER = '"player";q=10;w=60, "server";q=60000;w=60'


def test_responses_name_the_limit_and_when_it_is_used_up(scoreboard: Running) -> None:
    for _ in range(10):
        accepted = scoreboard.score()
        assert (accepted.headers["RateLimit-Policy"], accepted.headers.get("RateLimit")) == (PLAYER, None)
    scoreboard.clock.advance(18)
    # The second one is refused from the cache.
    for _ in range(2):
        refused = scoreboard.score()
        assert refused.status_code == 429
        assert (refused.headers["RateLimit-Policy"], refused.headers["Retry-After"]) == (PLAYER, "42")
        assert refused.headers["RateLimit"] == '"player";r=0;t=42'


REFUSED = {401: (b"", "x"), 400: (b"", None), 404: (b'{"actionId":"none","userId":"ada"}', None)}


@pytest.mark.parametrize("status", REFUSED)
def test_every_error_names_the_limit_of_its_route(scoreboard: Running, status: int) -> None:
    content, token = REFUSED[status]
    headers = {"Authorization": f"Bearer {token or scoreboard.token()}", "Content-Type": "application/json"}
    refused = scoreboard.client.post("/api/scores", content=content, headers=headers)
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (status, PLAYER)


def described(scoreboard: Running, path: str, method: str) -> dict[str, Any]:
    answers: dict[str, Any] = scoreboard.client.get("/openapi.json").json()["paths"][path][method][
        "responses"
    ]
    return answers


def test_the_openapi_document_describes_these_headers(server: Running) -> None:
    answers = described(server, "/api/scores", "post")
    assert all("RateLimit-Policy" in answer["headers"] for answer in answers.values())
    assert {"Retry-After", "RateLimit"} <= answers["429"]["headers"].keys()


def test_pages_of_other_origins_may_read_these_headers(tmp_path: Path) -> None:
    origin = "https://game.example"
    with running(tmp_path, cors_origins=origin) as scoreboard:
        for path in ("/api/scores", "/api/leaderboard"):
            response = scoreboard.client.get(path, headers={"Origin": origin})
            exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
            assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= exposed


def test_a_trusted_server_and_its_players_have_separate_limits(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), rate_limit="2/minute", server_rate_limit="6/minute") as scoreboard:

        def scored(server: str, user_id: str) -> tuple[int, str | None, str | None]:
            token = scoreboard.token(server, scopes=("scores:write:any",))
            response = scoreboard.score(user_id, token=token)
            return response.status_code, response.json().get("code"), response.headers.get("RateLimit")

        of_player = (429, "rate_limited", '"player";r=0;t=60')
        of_server = (429, "server_rate_limited", '"server";r=0;t=10')
        told = [scored("game", user_id) for user_id in ("ada", "ada", "ada", "bob", "bob", "cyd", "cyd")]
        assert told == [(201, None, None)] * 2 + [of_player] + [(201, None, None)] * 3 + [of_server]
        # Other servers and players are not affected.
        assert scored("other", "cyd")[0] == 201
        assert scoreboard.score("dan").status_code == 201
        scoreboard.clock.advance(10)
        assert scored("game", "eve") == (201, None, None)
        assert scored("game", "eve") == of_server


def test_the_limit_of_servers_can_be_disabled(tmp_path: Path) -> None:
    with running(tmp_path, server_rate_limit="off") as scoreboard:
        assert scoreboard.score().headers["RateLimit-Policy"] == '"player";q=10;w=60'


READS = '"address";q=3;w=60'
STREAM = "/api/leaderboard/stream"


@pytest.fixture
def limited(tmp_path: Path, clock: HeldClock) -> Iterator[Running]:
    """Three reads a minute from one address, so one every 20 s. The test's client is a trusted proxy."""
    with running(tmp_path, clock, read_rate_limit="3/minute", trusted_proxies="127.0.0.0/8") as server:
        yield server


def use_up(limited: Running, **headers: str) -> None:
    for _ in range(3):
        response = limited.client.get("/api/leaderboard", headers=headers)
        assert (response.status_code, response.headers["RateLimit-Policy"]) == (200, READS)


def test_an_address_over_the_read_limit_gets_the_exact_time_to_retry(limited: Running) -> None:
    use_up(limited)
    limited.clock.advance(0.1)
    refused = limited.client.get("/api/leaderboard")
    assert (refused.status_code, refused.json()["code"]) == (429, "reads_limited")
    assert (refused.headers["Retry-After"], refused.headers["RateLimit"]) == ("20", '"address";r=0;t=20')
    assert refused.headers["RateLimit-Policy"] == READS
    limited.clock.advance(18.9)
    assert limited.client.get("/api/leaderboard").headers["Retry-After"] == "1"
    limited.clock.advance(1)
    etag = limited.client.get("/api/leaderboard").headers["ETag"]
    assert limited.client.get("/api/leaderboard").status_code == 429
    limited.clock.advance(20)
    unchanged = limited.client.get("/api/leaderboard", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.headers["RateLimit-Policy"]) == (304, READS)
    # After a minute, exactly the whole limit is available again.
    limited.clock.advance(3_600)
    use_up(limited)
    assert limited.client.get("/api/leaderboard").status_code == 429


def test_the_read_limit_affects_neither_other_addresses_nor_scores(limited: Running) -> None:
    use_up(limited, **{"X-Forwarded-For": "2001:db8::1"})
    for address, status in {"2001:db8::2": 429, "2001:db8:0:1::1": 200}.items():
        response = limited.client.get("/api/leaderboard", headers={"X-Forwarded-For": address})
        assert response.status_code == status, address
    assert limited.score().status_code == 201
    assert limited.client.get("/health/ready").status_code == 200


def test_a_refused_stream_gets_a_reconnection_time(limited: Running) -> None:
    with limited.watch(STREAM) as watcher:
        assert watcher.response.headers["RateLimit-Policy"] == READS
        watcher.frame()
    assert [limited.client.head(STREAM).status_code for _ in range(2)] == [200, 200]
    # A browser's EventSource does not reconnect after any other status.
    refused = limited.client.get(STREAM)
    assert (refused.status_code, refused.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    name, _, milliseconds = refused.text.strip().partition(": ")
    assert name == "retry"
    assert 21_000 <= int(milliseconds) <= 23_000
    assert limited.scoreboard.hub.counts.refused == 1
    limited.clock.advance(int(milliseconds) / 1_000)
    with limited.watch(STREAM) as watcher:
        watcher.frame()


def test_the_reconnection_time_has_a_maximum(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), read_rate_limit="1/day") as scoreboard:
        scoreboard.board()
        assert int(scoreboard.client.get(STREAM).text.strip().removeprefix("retry: ")) <= 33_000


def test_the_read_limit_applies_with_any_token(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), read_rate_limit="2/minute", require_auth_to_read=True) as scoreboard:
        for token, status in ((scoreboard.token("ada"), 200), ("x", 401), (scoreboard.token("bob"), 429)):
            headers = {"Authorization": f"Bearer {token}"}
            assert scoreboard.client.get("/api/leaderboard", headers=headers).status_code == status


def test_reads_have_no_limit_by_default(server: Running) -> None:
    assert "RateLimit-Policy" not in server.client.get("/api/leaderboard").headers
    answers = described(server, "/api/leaderboard", "get")
    assert all("RateLimit-Policy" in answer["headers"] for answer in answers.values())
