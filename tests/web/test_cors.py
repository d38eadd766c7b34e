"""CORS: any origin may read, and configured origins may send scores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.clocks import HeldClock
from tests.harness import Running, running

ORIGINS = (
    "https://game.example",
    "http://localhost:3000",
    "http://tauri.localhost",
    "https://xn--bcher-kva.example",
    "http://[::1]:5173",
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://.",
    "app://obsidian.md",
    "chrome-extension://aabbccdd",
    "file://",
    "null",
)

TRACING = "authorization,baggage,content-type,sentry-trace,traceparent,tracestate,x-b3-traceid,x-request-id"


def preflight(server: Running, path: str, origin: str, method: str, headers: str = TRACING) -> dict[str, str]:
    answer = server.client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )
    return {"status": str(answer.status_code), **answer.headers}


@pytest.fixture(scope="module")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("allowing"), HeldClock(), cors_origins=",".join(ORIGINS)) as server:
        yield server


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_configured_origin_may_send_scores(allowing: Running, origin: str) -> None:
    asked = preflight(allowing, "/api/scores", origin, "POST")
    assert (asked["status"], asked["access-control-allow-origin"]) == ("200", origin)
    assert asked["access-control-allow-headers"] == TRACING
    answer = allowing.client.post("/api/scores", headers={"Origin": origin, "traceparent": "00-0-0-00"})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_other_origins_may_not_send_scores(tmp_path: Path) -> None:
    with running(tmp_path, HeldClock(), cors_origins="https://game.example") as server:
        for origin in ("https://elsewhere.example", "http://game.example", "capacitor://localhost", "null"):
            asked = preflight(server, "/api/scores", origin, "POST")
            assert asked["status"] == "400"
            assert "access-control-allow-origin" not in asked


def test_by_default_no_other_origin_may_send_scores(server: Running) -> None:
    assert "access-control-allow-origin" not in preflight(
        server, "/api/scores", "https://elsewhere.example", "POST"
    )


@pytest.mark.parametrize(
    "path", ["/api/boards", "/api/leaderboard", "/api/leaderboard/stream", "/static/scoreboard.js"]
)
def test_any_origin_may_read_with_additional_headers(server: Running, path: str) -> None:
    origin, headers = "https://elsewhere.example", f"{TRACING},if-none-match,last-event-id"
    asked = preflight(server, path, origin, "GET", headers)
    assert (asked["status"], asked["access-control-allow-origin"]) == ("200", "*")
    assert asked["access-control-allow-headers"] == headers
    assert server.client.head(path, headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_an_origin_shared_by_unrelated_pages_is_logged_as_a_warning(tmp_path: Path, origin: str) -> None:
    with (
        capture_logs() as lines,
        running(tmp_path, HeldClock(), cors_origins=f"https://game.example,{origin}"),
    ):
        pass
    assert [line["origins"] for line in lines if "CORS_ORIGINS" in line["event"]] == [[origin]]
