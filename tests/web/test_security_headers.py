"""What every answer tells a browser, whatever was asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scoreboard.services.submit import Submitter
from tests.clocks import HeldClock
from tests.harness import Running, running

HSTS = "Strict-Transport-Security"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), HeldClock(), read_rate_limit="1000/second") as server:
        yield server


def assert_secured(
    response: httpx2.Response, policy: str = "default-src 'none'; frame-ancestors 'none'"
) -> None:
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Security-Policy"] == policy
    # Said twice, a header would mean something else, or nothing.
    assert len({name.lower() for name, _ in response.headers.raw}) == len(response.headers.raw)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/leaderboard", 200),
        ("GET", "/api/leaderboard?limit=0", 422),
        ("GET", "/api/leaderboard?token=x", 400),
        ("HEAD", "/api/leaderboard/stream", 200),
        ("GET", "/api/leaderboard/stream?board=none", 404),
        ("POST", "/api/scores", 401),
        ("DELETE", "/api/scores", 405),
        ("OPTIONS", "/api/scores", 405),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/nothing", 404),
        ("GET", "/static/nothing", 404),
        ("GET", "/static/scoreboard.js", 200),
    ],
)
def test_every_answer_is_what_it_says_and_becomes_no_page(
    server: Running, method: str, path: str, status: int
) -> None:
    response = server.client.request(method, path)
    assert response.status_code == status
    assert_secured(response)
    assert HSTS not in response.headers


def test_a_stream_and_a_preflight_too(server: Running) -> None:
    with server.watch() as watcher:
        assert_secured(watcher.response)
    preflight = {"Origin": "https://game.example", "Access-Control-Request-Method": "GET"}
    assert_secured(server.client.options("/api/leaderboard", headers=preflight))


def test_an_answer_to_the_unforeseen_too(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Submitter, "submit", failing)
    response = server.score()
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert_secured(response)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_from_here_alone_and_run_nothing_that_is_written_into_them(
    server: Running, path: str
) -> None:
    response = server.client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert_secured(response, policy)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert (
        rules["default-src"]
        == rules["frame-ancestors"]
        == rules["base-uri"]
        == rules["form-action"]
        == "'none'"
    )
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_of_any_origin_may_use_the_modules_and_nothing_else(server: Running) -> None:
    module = server.client.get("/static/score-board.js", headers={"Origin": "https://game.example"})
    assert module.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert module.headers["Access-Control-Allow-Origin"] == "*"
    for path in ("/", "/api/leaderboard", "/docs"):
        assert server.client.get(path).headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_where_tls_ends_here_browsers_use_nothing_else_from_then_on(
    tmp_path: Path, certificate: dict[str, Any]
) -> None:
    with running(tmp_path, **certificate) as server:
        assert server.client.get("/health/live").headers[HSTS] == "max-age=31536000"


def test_the_modules_are_compressed_for_whoever_takes_that(server: Running) -> None:
    compressed, whole = (
        server.client.get("/static/score-board.js", headers={"Accept-Encoding": encoding})
        for encoding in ("gzip", "identity")
    )
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in whole.headers
    assert compressed.text == whole.text
    assert "Accept-Encoding" in compressed.headers["Vary"]
    assert "Accept-Encoding" in whole.headers["Vary"]
    tag = compressed.headers["ETag"]
    assert server.client.get("/static/score-board.js", headers={"If-None-Match": tag}).status_code == 304
