"""The security headers of every response."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

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
    # A repeated header may have another meaning, or none.
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
def test_every_response_has_the_security_headers(
    server: Running, method: str, path: str, status: int
) -> None:
    response = server.client.request(method, path)
    assert response.status_code == status
    assert_secured(response)
    assert HSTS not in response.headers


def test_streams_and_preflights_have_the_security_headers(server: Running) -> None:
    with server.watch() as watcher:
        assert_secured(watcher.response)
    preflight = {"Origin": "https://game.example", "Access-Control-Request-Method": "GET"}
    assert_secured(server.client.options("/api/leaderboard", headers=preflight))


def test_an_internal_error_has_the_security_headers(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Submitter, "submit", failing)
    response = server.score()
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert_secured(response)


def test_internal_errors_are_logged_once_a_minute_without_the_request(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Submitter, "submit", failing)
    with capture_logs() as told:
        assert [server.score("ada").status_code for _ in range(5)] == [500] * 5
    (line,) = told
    assert (line["work"], line["route"], str(line["exc_info"])) == ("requests", "/api/scores", "a bug")
    # Loggers of asyncio and uvicorn.
    assert caplog.messages == []


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_only_their_own_files_and_run_no_inline_scripts(server: Running, path: str) -> None:
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


def test_pages_of_other_origins_may_load_only_static_files(server: Running) -> None:
    module = server.client.get("/static/score-board.js", headers={"Origin": "https://game.example"})
    assert module.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert module.headers["Access-Control-Allow-Origin"] == "*"
    for path in ("/", "/api/leaderboard", "/docs"):
        assert server.client.get(path).headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_with_tls_browsers_are_told_to_use_only_tls(tmp_path: Path, certificate: dict[str, Any]) -> None:
    with running(tmp_path, **certificate) as server:
        assert server.client.get("/health/live").headers[HSTS] == "max-age=31536000"


def test_static_files_are_compressed_on_request(server: Running) -> None:
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
