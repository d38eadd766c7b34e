"""Stopping under load: no acknowledged score is lost, and none is counted twice."""

import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.e2e.processes import COMMAND, ON_ASYNCIO, Client, environment, scoreboard, serving, token
from tests.limits import LIMIT_SECONDS
from tests.servers.postgresql import PostgresServer
from tests.servers.process import free_port
from tests.servers.redis import RedisServer

LOOPS = {"uvloop": COMMAND, "asyncio": ON_ASYNCIO}
WRITERS = 6
ENOUGH = 60


class Writers:
    """Users who score as fast as they are answered. They record the acknowledged scores."""

    def __init__(self, url: str, count: int = WRITERS) -> None:
        self.acknowledged: list[str] = []
        self.unanswered: list[tuple[str, str]] = []
        self.tokens = {user: token(user) for user in (f"user-{number}" for number in range(count))}
        self.enough = threading.Event()
        self._url = url
        self._threads = [threading.Thread(target=self._write, args=(user,)) for user in self.tokens]
        for thread in self._threads:
            thread.start()

    def _write(self, user_id: str) -> None:
        with Client(self._url) as client:
            while True:
                key = str(uuid4())
                try:
                    response = client.score(user_id, key=key, by=self.tokens[user_id])
                except httpx2.TransportError:
                    self.unanswered.append((user_id, key))
                    return
                if response.status_code != 201:
                    self.unanswered.append((user_id, key))
                    return
                self.acknowledged.append(response.json()["eventId"])
                if len(self.acknowledged) >= ENOUGH:
                    self.enough.set()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def ledger(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "scoreboard.db")
    events = [row[0] for row in connection.execute("SELECT event_id FROM score_events ORDER BY version")]
    connection.close()
    return events


def assert_all_is_there_once(folder: Path, acknowledged: Sequence[str]) -> None:
    events = ledger(folder)
    assert len(set(events)) == len(events)
    assert {event_id.replace("-", "") for event_id in acknowledged} <= set(events)
    verified = scoreboard(folder, "verify")
    assert verified.returncode == 0, verified.stdout


@pytest.mark.parametrize("command", LOOPS.values(), ids=LOOPS.keys())
def test_sigterm_answers_requests_in_progress_and_ends_the_streams(
    tmp_path: Path, command: Sequence[str]
) -> None:
    settings = {"SCOREBOARD_RATE_LIMIT": "1000000/minute", "SCOREBOARD_DRAIN_SECONDS": "0.5"}
    with serving(tmp_path, command=command, **settings) as (process, client):
        writers = Writers(str(client.base_url))
        with (
            client.stream("GET", "/api/leaderboard/stream") as one,
            client.stream("GET", "/api/leaderboard/stream") as other,
        ):
            assert writers.enough.wait(30)
            assert process.end(signal.SIGTERM) == 0
            for stream in (one, other):
                # Streams end like complete responses, with a reconnection time. No connection is reset.
                assert [line for line in stream.iter_lines() if line][-1].startswith("retry: ")
        writers.join()
    assert_all_is_there_once(tmp_path, writers.acknowledged)


@pytest.mark.parametrize("command", LOOPS.values(), ids=LOOPS.keys())
def test_ctrl_c_stops_the_server_quickly(tmp_path: Path, command: Sequence[str]) -> None:
    with serving(tmp_path, command=command, SCOREBOARD_DRAIN_SECONDS="600") as (process, client):
        with client.stream("GET", "/api/leaderboard/stream") as stream:
            assert next(stream.iter_lines()).startswith("retry: ")
            assert process.end(signal.SIGINT) == 0
        assert "Traceback" not in process.output


def test_a_second_signal_stops_the_server_at_once(tmp_path: Path) -> None:
    with (
        serving(tmp_path, SCOREBOARD_DRAIN_SECONDS="600") as (process, client),
        client.stream("GET", "/api/leaderboard/stream") as one,
        client.stream("GET", "/api/leaderboard/stream"),
    ):
        next(one.iter_lines())
        process.process.send_signal(signal.SIGTERM)
        process.line_with("stopping")
        assert process.end(signal.SIGTERM) == 0


def test_readiness_fails_before_the_streams_end_and_an_answer_closes_its_connection(tmp_path: Path) -> None:
    """A balancer sends a POST on an idle connection, and does not repeat it if the server closes that."""
    with (
        serving(tmp_path, SCOREBOARD_DRAIN_GRACE_SECONDS="600") as (process, client),
        closing(HTTPConnection(client.base_url.host, client.base_url.port, timeout=LIMIT_SECONDS)) as idle,
    ):

        def closes() -> bool:
            """Send a request on the idle connection. Return True if the answer closes it."""
            idle.request("GET", "/health/live")
            answer = idle.getresponse()
            assert (answer.status, answer.read() != b"") == (200, True)
            return answer.will_close

        assert client.get("/health/ready").status_code == 200
        assert not closes()
        process.process.send_signal(signal.SIGTERM)
        process.line_with("stopping")
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert client.get("/health/live").status_code == 200
        assert client.score("ada").status_code == 201
        stream = client.get("/api/leaderboard/stream")
        assert (stream.status_code, stream.text.count("retry: ")) == (200, 2)
        assert closes()
        assert process.end(signal.SIGINT) == 0


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    unlimited = "1000000/minute"
    with serving(tmp_path, SCOREBOARD_RATE_LIMIT=unlimited) as (process, client):
        writers = Writers(str(client.base_url))
        assert writers.enough.wait(30)
        process.end(signal.SIGKILL)
        writers.join()
    assert_all_is_there_once(tmp_path, writers.acknowledged)
    before = len(ledger(tmp_path))
    with serving(tmp_path, SCOREBOARD_RATE_LIMIT=unlimited) as (_, client):
        # A client without an answer retries with the same idempotency key. Its score counts once.
        for user_id, key in writers.unanswered:
            for _ in range(2):
                response = client.score(user_id, key=key)
                assert response.status_code == 201
        board = client.get("/api/leaderboard", params={"limit": 100}).json()
    events = ledger(tmp_path)
    assert before <= len(events) <= before + len(writers.unanswered)
    assert board["version"] == len(events) == len(writers.acknowledged) + len(writers.unanswered)
    assert sum(entry["score"] for entry in board["entries"]) == 50 * len(events)
    assert_all_is_there_once(tmp_path, writers.acknowledged)


def test_two_servers_on_one_file_write_one_history(tmp_path: Path) -> None:
    unlimited = {"SCOREBOARD_RATE_LIMIT": "1000000/minute", "SCOREBOARD_DRAIN_SECONDS": "0"}
    with serving(tmp_path, **unlimited) as (one, first), serving(tmp_path, **unlimited) as (other, second):
        writers = [Writers(str(client.base_url), count=3) for client in (first, second)]
        for each in writers:
            assert each.enough.wait(30)
        for process in (one, other):
            assert process.end(signal.SIGTERM) == 0
        for each in writers:
            each.join()
    assert_all_is_there_once(tmp_path, [event for each in writers for event in each.acknowledged])


def test_a_server_stops_while_its_database_does_not_answer(tmp_path: Path) -> None:
    with PostgresServer(fsync=False) as postgres, RedisServer() as redis:
        postgres.create_database("stopping")
        settings = {
            "SCOREBOARD_DATABASE_URL": postgres.url("stopping"),
            "SCOREBOARD_REDIS_URL": redis.url,
            "SCOREBOARD_DRAIN_SECONDS": "0",
        }
        assert scoreboard(tmp_path, "migrate", **settings).returncode == 0
        with serving(tmp_path, **settings) as (process, client):
            assert client.score("ada").status_code == 201
            postgres.pause()
            try:
                assert process.end(signal.SIGTERM) == 0
            finally:
                postgres.resume()


def test_a_server_whose_log_pipe_is_closed_keeps_running_and_stops_normally(tmp_path: Path) -> None:
    port = free_port()
    reading, writing = os.pipe()
    settings = environment(tmp_path, SCOREBOARD_PORT=str(port), SCOREBOARD_REQUEST_LOG="true")
    process = subprocess.Popen([*COMMAND, "serve"], cwd=tmp_path, env=settings, stderr=writing)
    try:
        os.close(writing)
        with os.fdopen(reading) as log:
            assert any(f"http://127.0.0.1:{port}" in line for line in log)
        # The log line of a stream is written when the stream begins.
        with httpx2.stream(
            "GET", f"http://127.0.0.1:{port}/api/leaderboard/stream", timeout=LIMIT_SECONDS
        ) as stream:
            assert "event: leaderboard" in stream.iter_lines()
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
