"""GET /api/leaderboard, its stream, health, the page and the OpenAPI document."""

import json
import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Running, running
from tests.replay import replay


def test_the_board_is_ranked(scoreboard: Running) -> None:
    empty = {"board": "main", "version": 0, "updatedAt": None, "players": 0, "entries": []}
    assert scoreboard.board() == empty
    scoreboard.score("ada", "duel")
    scoreboard.clock.advance(1)
    scoreboard.score("bob", "quest", name="Bob")
    earlier, later = "2026-11-18T11:06:40.000000Z", "2026-11-18T11:06:41.000000Z"
    assert scoreboard.board() == {
        "board": "main",
        "version": 2,
        "updatedAt": later,
        "players": 2,
        "entries": [
            {"rank": 1, "userId": "bob", "name": "Bob", "score": 50, "reachedAt": later},
            {"rank": 2, "userId": "ada", "name": "ada", "score": 30, "reachedAt": earlier},
        ],
    }
    assert scoreboard.board(board="side") == {**empty, "board": "side"}


def test_a_page_has_ten_entries_by_default(scoreboard: Running) -> None:
    for number in range(12):
        scoreboard.score(f"user-{number}")
    assert len(scoreboard.board()["entries"]) == 10
    assert scoreboard.board()["players"] == 12
    assert [e["rank"] for e in scoreboard.board(limit=3, offset=10)["entries"]] == [11, 12]
    assert scoreboard.board(offset=12)["entries"] == []


def test_an_unchanged_board_is_not_sent_again(scoreboard: Running) -> None:
    scoreboard.score("ada")
    first = scoreboard.client.get("/api/leaderboard")
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = scoreboard.client.get("/api/leaderboard", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    scoreboard.score("bob")
    changed = scoreboard.client.get("/api/leaderboard", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    other_page = scoreboard.client.get("/api/leaderboard?limit=1")
    assert len({tag, changed.headers["ETag"], other_page.headers["ETag"]}) == 3


@pytest.mark.parametrize(
    "path", ["/api/leaderboard", "/api/leaderboard/stream", "/", "/health/live", "/health/ready"]
)
def test_head_returns_only_headers(server: Running, path: str) -> None:
    response = server.client.head(path)
    assert (response.status_code, response.content) == (200, b"")


def test_every_stream_gets_each_change_of_the_top(scoreboard: Running) -> None:
    with scoreboard.watch() as one, scoreboard.watch() as other:
        assert one.frame()["version"] == other.frame()["version"] == 0
        for number in range(3):
            scoreboard.score(f"user-{number}")
            board = scoreboard.board()
            assert one.frame() == board
            assert other.frame() == board


def test_a_stream_gets_only_its_own_board(scoreboard: Running) -> None:
    with scoreboard.watch("/api/leaderboard/stream?board=side") as watcher:
        assert watcher.frame()["version"] == 0
        scoreboard.score("ada", "quest")
        scoreboard.score("ada", "visit")
        assert watcher.frame()["entries"][0]["score"] == 5


def test_every_frame_equals_the_ledger_up_to_its_version(scoreboard: Running) -> None:
    frames: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        with scoreboard.watch() as watcher:
            versions = [-1]
            while versions[-1] < 121:
                frame = watcher.frame()
                frames.put(frame)
                versions.append(frame["version"])
            assert versions == sorted(versions)

    def write(user_id: str) -> None:
        for turn in range(10):
            assert scoreboard.score(user_id, "quest" if turn % 3 else "duel").status_code == 201

    readers = [threading.Thread(target=read) for _ in range(3)]
    writers = [threading.Thread(target=write, args=(f"user-{n}",)) for n in range(12)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(20)
    # The last score must be visible on every stream. Not all scores above are.
    assert scoreboard.score("user-12", "jackpot").json()["version"] == 121
    for thread in (*writers, *readers):
        thread.join(20)
        assert not thread.is_alive()
    ledger = scoreboard.ledger()
    users = scoreboard.users()
    assert frames.qsize() >= 6
    while not frames.empty():
        frame = frames.get()
        board = replay(ledger, frame["version"])
        shown = [(e["rank"], e["userId"], e["score"]) for e in frame["entries"]]
        assert shown == [(rank, users[player], score) for rank, player, score in board[:10]]
        assert frame["players"] == len(board)


def test_a_score_of_another_process_is_visible_within_a_second(
    scoreboard: Running, tmp_path: Path, deployment: dict[str, Any]
) -> None:
    scoreboard.score("ada")
    with scoreboard.watch() as watcher:
        assert watcher.frame()["version"] == 1
        with running(tmp_path, scoreboard.clock, **deployment) as other:
            assert other.score("bob").json()["version"] == 2
            assert watcher.frame()["version"] == 2
    answer = scoreboard.score("ada").json()
    assert (answer["score"], answer["rank"], answer["version"]) == (100, 1, 3)


def test_health_is_reported(server: Running) -> None:
    assert server.client.get("/health/live").json() == {"status": "live"}
    ready = server.client.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "degraded": []})


def test_the_openapi_document_has_an_example_of_each_error(server: Running) -> None:
    document = server.client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/api/scores",
        "/api/leaderboard",
        "/api/boards",
        "/api/leaderboard/cutoffs",
        "/api/leaderboard/rank",
        "/api/leaderboard/stream",
        "/api/players/{userId}/name",
        "/health/live",
        "/health/ready",
    }
    post = document["paths"]["/api/scores"]["post"]
    statuses = [201, 400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503]
    assert sorted(post["responses"]) == [str(status) for status in statuses]
    for status in post["responses"].keys() - {"201"}:
        content = post["responses"][status]["content"]["application/problem+json"]
        assert content["examples"], status
        assert content["schema"]["$ref"].endswith("ProblemResponse"), status
    assert post["security"] == [{"bearer": []}]
    assert "HTTPValidationError" not in json.dumps(document)
