"""The request log: a line for each request, without secrets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.harness import Running, running
from tests.servers.process import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, request_log=True, rate_limit="1/minute", admin_on_public_port=True) as server:
        yield server


def lines_of(logs: list[Any]) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] == "request"]


def await_lines(logs: list[Any], count: int) -> list[dict[str, Any]]:
    """Wait for lines. A line is written after the response has been sent."""
    until(lambda: len(lines_of(logs)) >= count, f"there are {count} lines")
    return lines_of(logs)


def test_a_line_has_the_request_its_user_and_its_status(server: Running) -> None:
    with capture_logs() as logs:
        answers = [
            server.score("ada"),
            server.score("ada"),
            server.score("bob"),
            server.client.get("/nowhere/ada"),
        ]
        lines = await_lines(logs, 4)
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/api/scores", 201),
        ("POST", "/api/scores", 429),
        ("POST", "/api/scores", 201),
        ("GET", "other", 404),
    ]
    assert [line["request_id"] for line in lines] == [answer.headers["x-request-id"] for answer in answers]
    assert len({line["request_id"] for line in lines}) == 4
    users = [line.get("user") for line in lines]
    assert users[0] == users[1] != users[2]
    assert users[3] is None
    assert all(line["ms"] >= 0 for line in lines)
    assert "ada" not in str(lines)


def test_administrators_are_shown_as_different_users(server: Running) -> None:
    token = server.token("boss", scopes=("scoreboard:admin",))
    with capture_logs() as logs:
        assert (
            server.client.get("/api/admin/events", headers={"Authorization": f"Bearer {token}"}).status_code
            == 200
        )
        (line,) = await_lines(logs, 1)
    assert line["route"] == "/api/admin/events"
    assert re.fullmatch("-?[0-9a-f]{1,16}", line["user"])


def test_readers_of_private_boards_are_shown_as_different_users(tmp_path: Path) -> None:
    with running(tmp_path, request_log=True, require_auth_to_read=True) as server, capture_logs() as logs:
        bearer = {"Authorization": f"Bearer {server.token('ada')}"}
        assert server.client.get("/api/leaderboard", headers=bearer).status_code == 200
        assert server.client.get("/api/leaderboard").status_code == 401
        known, unknown = await_lines(logs, 2)
    assert "user" in known
    assert "user" not in unknown


def test_a_request_keeps_the_id_of_the_proxy(server: Running) -> None:
    with capture_logs() as logs:
        answer = server.client.get("/api/leaderboard", headers={"X-Request-Id": "Root=1-67891233-abcdef"})
        (line,) = await_lines(logs, 1)
    assert answer.headers["x-request-id"] == line["request_id"] == "Root=1-67891233-abcdef"


@pytest.mark.parametrize("forged", ['a" forged="1', "a" * 129, ""])
def test_an_invalid_request_id_is_replaced(server: Running, forged: str) -> None:
    answer = server.client.get("/api/leaderboard", headers={"X-Request-Id": forged})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


def test_a_stream_is_logged_when_it_starts(server: Running) -> None:
    with capture_logs() as logs, server.watch() as watcher:
        watcher.frame()
        (line,) = await_lines(logs, 1)
    assert (line["route"], line["status"]) == ("/api/leaderboard/stream", 200)


def test_health_checks_are_not_logged(server: Running) -> None:
    with capture_logs() as logs:
        assert server.client.get("/health/ready").status_code == 200
        assert server.client.get("/api/leaderboard").status_code == 200
        (line,) = await_lines(logs, 1)
    assert line["route"] == "/api/leaderboard"


@pytest.mark.parametrize(
    ("settings", "is_logged"),
    [({}, False), ({"env": "production"}, True), ({"env": "production", "request_log": False}, False)],
    ids=["in development", "in production", "disabled"],
)
def test_requests_are_logged_in_production_by_default(
    tmp_path: Path, settings: dict[str, Any], is_logged: bool
) -> None:
    with running(tmp_path, **settings) as server, capture_logs() as logs:
        assert ("x-request-id" in server.client.get("/api/leaderboard").headers) is is_logged
        server.stop()
        until(lambda: any(line["event"] == "stopping" for line in logs), "it stops")
    assert bool(lines_of(logs)) is is_logged
