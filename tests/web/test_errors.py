"""Invalid input gets an error with a stable code, and changes nothing."""

import asyncio
import json
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import asyncpg
import pytest

from scoreboard.services import write_queue
from scoreboard.settings.config import Settings
from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.sqlite import sqlite_file
from tests.harness import Running, running
from tests.limits import LIMIT_SECONDS
from tests.web.problems import GOOD, assert_problem, nothing_counts, post
from tests.web.raw_connections import connected, received_to_the_end

BODIES: dict[str, tuple[Any, int, str, set[str]]] = {
    "not JSON": (b"quest", 400, "body_not_json", set()),
    "empty": (b"", 400, "body_not_json", set()),
    "not UTF-8": (b'{"actionId":"\xff","userId":"ada"}', 400, "body_not_json", set()),
    "too deep": (b"[" * 16_000, 400, "body_not_json", set()),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), 400, "body_not_json", set()),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + json.dumps(GOOD).encode(), 400, "body_not_json", set()),
    "lone surrogate as a field": ({**GOOD, "\ud800": 1}, 422, "validation_failed", {"body"}),
    "a list": ([GOOD], 422, "validation_failed", {"body"}),
    "null": (None, 422, "validation_failed", {"body"}),
    "wrong type": ({**GOOD, "actionId": 1}, 422, "validation_failed", {"actionId"}),
    "missing field": ({"actionId": "quest"}, 422, "validation_failed", {"userId"}),
    "unknown field": ({**GOOD, "score": 1_000}, 422, "validation_failed", {"score"}),
    "several": ({"actionId": 1, "more": 2}, 422, "validation_failed", {"actionId", "userId", "more"}),
    "points of a player": ({**GOOD, "points": 1_000}, 403, "points_not_yours", set()),
    "empty id": ({**GOOD, "userId": ""}, 422, "validation_failed", {"userId"}),
    "id too long": ({**GOOD, "userId": "x" * 129}, 422, "validation_failed", {"userId"}),
    "control character": ({**GOOD, "actionId": "a\x07"}, 422, "validation_failed", {"actionId"}),
    "C1 control character": ({**GOOD, "actionId": "a\x85"}, 422, "validation_failed", {"actionId"}),
    "lone surrogate": ({**GOOD, "userId": "\ud800"}, 422, "validation_failed", {"userId"}),
    "unknown action": ({**GOOD, "actionId": "nothing"}, 404, "unknown_action", set()),
    "another user": ({**GOOD, "userId": "bob"}, 403, "not_your_score", set()),
    "a similar user id": ({**GOOD, "userId": "аda"}, 403, "not_your_score", set()),
    "too large": (b" " * 16_385, 413, "body_too_large", set()),
}


@pytest.mark.parametrize(("content", "status", "code", "fields"), BODIES.values(), ids=BODIES.keys())
def test_an_invalid_body_changes_nothing_and_all_its_invalid_fields_are_named(
    server: Running, content: Any, status: int, code: str, fields: set[str]
) -> None:
    with nothing_counts(server):
        problem = assert_problem(post(server, content), status, code)
    assert {error["field"] for error in problem.get("errors", [])} == fields


def test_an_id_may_have_128_characters(scoreboard: Running) -> None:
    user = "🎮" * 128
    assert scoreboard.score(user).status_code == 201


def test_a_large_body_in_chunks_is_refused(server: Running) -> None:
    response = server.client.post(
        "/api/scores",
        content=(b" " * 1_000 for _ in range(40)),
        headers={"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"},
    )
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_a_body_that_is_not_declared_as_json_is_refused(server: Running, kind: str) -> None:
    with nothing_counts(server):
        assert_problem(post(server, GOOD, **{"Content-Type": kind}), 415, "unsupported_media_type")


def test_a_content_type_may_have_parameters(server: Running) -> None:
    assert post(server, GOOD, **{"Content-Type": "Application/JSON; charset=utf-8"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "a\x80b"], ids=["empty", "too long", "control character"])
def test_an_invalid_idempotency_key_is_refused(server: Running, key: str) -> None:
    headers = [
        (b"Authorization", b"Bearer " + server.token().encode()),
        (b"Idempotency-Key", key.encode("latin-1")),
    ]
    with nothing_counts(server):
        response = server.client.post("/api/scores", json=GOOD, headers=headers)
    problem = assert_problem(response, 422, "validation_failed")
    assert problem["errors"][0]["field"] == "Idempotency-Key"


QUERIES = {
    "limit 0": ("limit=0", "limit"),
    "limit 101": ("limit=101", "limit"),
    "limit is text": ("limit=ten", "limit"),
    "limit has an underscore": ("limit=1_0", "limit"),
    "limit is not an integer": ("limit=1.0", "limit"),
    "limit is empty": ("limit=", "limit"),
    "offset -1": ("offset=-1", "offset"),
    "offset is huge": ("offset=99999999999999999999999", "offset"),
    "board is empty": ("board=", "board"),
    "board has a control character": ("board=a%00", "board"),
}


@pytest.mark.parametrize(("query", "field"), QUERIES.values(), ids=QUERIES.keys())
def test_an_invalid_parameter_is_named(server: Running, query: str, field: str) -> None:
    problem = assert_problem(server.client.get(f"/api/leaderboard?{query}"), 422, "validation_failed")
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/leaderboard?board=none", "unknown_board"),
        ("/api/leaderboard/stream?board=none", "unknown_board"),
        ("/nothing", "not_found"),
        ("/api", "not_found"),
        ("/api/leaderboard/", "not_found"),
        ("/api/scores/1", "not_found"),
        ("/static/nothing.js", "not_found"),
        ("/static/../app.py", "not_found"),
    ],
)
def test_unknown_boards_and_paths_are_not_found(server: Running, path: str, code: str) -> None:
    assert_problem(server.client.get(path), 404, code)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/scores", "POST"),
        ("DELETE", "/api/scores", "POST"),
        ("POST", "/api/leaderboard", "GET, HEAD"),
        ("PUT", "/api/leaderboard/stream", "GET, HEAD"),
        ("POST", "/health/live", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
    ],
)
def test_a_wrong_method_gets_the_allowed_ones(server: Running, method: str, path: str, allowed: str) -> None:
    response = server.client.request(method, path)
    assert_problem(response, 405, "method_not_allowed")
    assert sorted(response.headers["Allow"].split(", ")) == sorted(allowed.split(", "))


@contextmanager
def another_writer(settings: Settings) -> Iterator[None]:
    """Another process that holds the locks of the boards."""
    if not settings.is_distributed:
        connection = sqlite3.connect(settings.database_path, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.close()
        return
    asking, done = Event(), Event()

    async def hold() -> None:
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute(f"SELECT pg_advisory_lock({APPLICATION_ID}, key) FROM boards")
        asking.set()
        await asyncio.to_thread(done.wait, LIMIT_SECONDS)
        await connection.close()

    with ThreadPoolExecutor(1) as executor:
        holding = executor.submit(asyncio.run, hold())
        assert asking.wait(LIMIT_SECONDS)
        try:
            yield
        finally:
            done.set()
            holding.result(LIMIT_SECONDS)


def test_a_full_queue_refuses_requests_and_commits_the_waiting_ones(
    scoreboard: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "QUEUE_SIZE", 3)
    with ThreadPoolExecutor(8) as executor:
        with another_writer(scoreboard.settings):
            answers = [executor.submit(scoreboard.score, f"user-{number}") for number in range(8)]
            for refused in islice(as_completed(answers, LIMIT_SECONDS), 5):
                assert_problem(refused.result(), 503, "queue_full")
                assert refused.result().headers["Retry-After"] == "1"
            assert scoreboard.ledger() == []
        assert sorted(answer.result().status_code for answer in answers) == [201] * 3 + [503] * 5
    assert len(scoreboard.ledger()) == 3


def test_a_locked_store_is_reported_as_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_SECONDS", 0.05)
    with running(tmp_path) as scoreboard:
        with sqlite3.connect(scoreboard.settings.database_path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            response = scoreboard.score()
            assert_problem(response, 503, "store_unavailable")
            assert response.headers["Retry-After"] == "1"
            assert scoreboard.board()["version"] == 0
            other.execute("ROLLBACK")
        other.close()
        assert scoreboard.score().json()["version"] == 1


def test_a_byte_order_mark_before_a_body_is_ignored(server: Running) -> None:
    assert post(server, b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {f"a{number}": 1 for number in range(1_400)},
        {"x" * 16_000: 1},
        {"actionId": {f"a{number}": 1 for number in range(1_400)}},
    ],
)
def test_the_size_of_an_error_does_not_grow_with_the_body(server: Running, body: Any) -> None:
    problem = assert_problem(post(server, body), 422, "validation_failed")
    assert len(json.dumps(problem)) < 4_096
    assert 1 <= len(problem["errors"]) <= 10
    assert ("more" in problem["detail"]) == (len(problem["errors"]) == 10)


def test_an_incomplete_body_is_not_processed(server: Running) -> None:
    body = json.dumps(GOOD)
    with nothing_counts(server), connected(server) as raw:
        raw.sendall(
            f"POST /api/scores HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {server.token()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{body}".encode()
        )
        raw.shutdown(socket.SHUT_WR)
        assert b" 201 " not in received_to_the_end(raw)
