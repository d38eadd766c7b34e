"""CORS: any origin may read, and configured origins may send scores."""

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


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_configured_origin_may_send_scores(tmp_path: Path, origin: str) -> None:
    with running(tmp_path, HeldClock(), cors_origins=origin) as server:
        asked = preflight(server, "/api/scores", origin, "POST")
        assert (asked["status"], asked["access-control-allow-origin"]) == ("200", origin)
        assert asked["access-control-allow-headers"] == TRACING
        answer = server.client.post("/api/scores", headers={"Origin": origin, "traceparent": "00-0-0-00"})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example", "http://game.example", "capacitor://localhost", "null"]
)
def test_other_origins_may_not_send_scores(tmp_path: Path, origin: str) -> None:
    with running(tmp_path, HeldClock(), cors_origins="https://game.example") as server:
        asked = preflight(server, "/api/scores", origin, "POST")
        assert asked["status"] == "400"
        assert "access-control-allow-origin" not in asked


@pytest.mark.parametrize("path", ["/api/leaderboard", "/api/leaderboard/stream", "/static/scoreboard.js"])
def test_any_origin_may_read_with_additional_headers(tmp_path: Path, path: str) -> None:
    with running(tmp_path, HeldClock()) as server:
        asked = preflight(
            server, path, "https://elsewhere.example", "GET", f"{TRACING},if-none-match,last-event-id"
        )
        assert (asked["status"], asked["access-control-allow-origin"]) == ("200", "*")
        assert asked["access-control-allow-headers"] == f"{TRACING},if-none-match,last-event-id"


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_an_origin_shared_by_unrelated_pages_is_logged_as_a_warning(tmp_path: Path, origin: str) -> None:
    with (
        capture_logs() as lines,
        running(tmp_path, HeldClock(), cors_origins=f"https://game.example,{origin}"),
    ):
        pass
    assert [line["origins"] for line in lines if "CORS_ORIGINS" in line["event"]] == [[origin]]
