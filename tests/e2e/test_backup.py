"""Backups under load: after a restore, the board equals the ledger, and clients continue."""

import shutil
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.e2e.processes import scoreboard, serving
from tests.e2e.test_stopping import Writers
from tests.harness import Watcher
from tests.limits import LIMIT_SECONDS
from tests.programs import go_without
from tests.servers.postgresql import PostgresServer
from tests.servers.process import until
from tests.servers.redis import RedisServer

SETTINGS = {"SCOREBOARD_RATE_LIMIT": "1000000/minute", "SCOREBOARD_DRAIN_SECONDS": "0"}

LATER = 40
"""Scores after the backup. Clients see them, and the restore loses them."""

LEDGER = """
SELECT e.event_id, p.user_id, e.points FROM score_events e
JOIN players p ON p.key = e.player_key JOIN boards b ON b.key = e.board_key
WHERE b.id = 'main' ORDER BY e.version
"""

Row = tuple[UUID, str, int]
"""Event, user and points."""


@dataclass(frozen=True, slots=True)
class Before:
    """What clients know before the restore."""

    backed_up: Sequence[UUID]
    """The events acknowledged before the backup started."""
    version: int
    """The newest version that a client has seen."""
    receipt: Mapping[str, Any]
    """The response for an idempotency key used before the backup."""


def read_board(client: httpx2.Client) -> dict[str, Any]:
    response = client.get("/api/leaderboard", params={"limit": 100})
    assert response.status_code == 200, response.text
    board: dict[str, Any] = response.json()
    return board


def assert_whole(folder: Path, settings: Mapping[str, str]) -> None:
    verified = scoreboard(folder, "verify", **settings)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def live_through(folder: Path, settings: Mapping[str, str], back_up: Callable[[], None]) -> Before:
    """Run a server under load, back it up, continue for some scores, and kill it."""
    with serving(folder, **settings) as (process, client):
        receipt = client.score("kept", key="before").json()
        writers = Writers(str(client.base_url))
        assert writers.enough.wait(30)
        backed_up = [UUID(event) for event in (receipt["eventId"], *writers.acknowledged)]
        back_up()
        enough = len(writers.acknowledged) + LATER
        until(lambda: len(writers.acknowledged) >= enough, "more scores are acknowledged")
        assert client.score("late", key="after").status_code == 201
        board = read_board(client)
        assert "late" in {entry["userId"] for entry in board["entries"]}
        process.end(signal.SIGKILL)
        writers.join()
    return Before(backed_up, board["version"], receipt)


def assert_restored(
    folder: Path, settings: Mapping[str, str], before: Before, restored: Sequence[Row]
) -> None:
    """Assert that a server on the restored database has exactly its events, and accepts new ones."""
    version = len(restored)
    assert {event for event, _, _ in restored} >= set(before.backed_up)
    assert version < before.version
    with serving(folder, **settings) as (_, client):
        scores = Counter[str]()
        for _, user_id, points in restored:
            scores[user_id] += points
        # On a busy machine, a server begins to serve before Redis has the board of the restored ledger.
        until(lambda: read_board(client)["version"] <= version, "the board is that of the ledger")
        board = read_board(client)
        assert (board["version"], {entry["userId"]: entry["score"] for entry in board["entries"]}) == (
            version,
            scores,
        )
        assert_whole(folder, settings)
        # An EventSource that has seen a later version gets the current board.
        headers = {"Last-Event-ID": str(before.version)}
        with client.stream("GET", "/api/leaderboard/stream", headers=headers) as stream:
            watcher = Watcher(stream)
            shown = watcher.frame()
            assert (shown["version"], shown["entries"]) == (
                version,
                board["entries"][: len(shown["entries"])],
            )
            # A key from before the backup is known. One from after it is new, so its score counts again.
            again = client.score("kept", key="before")
            assert again.headers["Idempotent-Replayed"] == "true"
            assert again.json()["eventId"] == before.receipt["eventId"]
            late = client.score("new", key="after")
            assert (late.status_code, late.json()["version"]) == (201, version + 1)
            assert "Idempotent-Replayed" not in late.headers
            while watcher.frame()["version"] <= version:
                pass
        users = [entry["userId"] for entry in read_board(client)["entries"]]
        assert "new" in users
        assert "late" not in users
    assert_whole(folder, settings)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer(fsync=False) as server:
        for name in ("pg_dump", "pg_restore"):
            if not (server.programs / name).exists():
                go_without(f"{server.programs} has no {name}: on Debian, apt-get install postgresql-client")
        yield server


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def test_a_dump_taken_under_load_can_be_restored_whether_redis_is_ahead_or_lost(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer
) -> None:
    dump = tmp_path / "scoreboard.dump"

    def settings(database: str) -> dict[str, str]:
        addresses = {"SCOREBOARD_DATABASE_URL": postgres.url(database), "SCOREBOARD_REDIS_URL": redis.url}
        return {**SETTINGS, **addresses}

    def ledger(database: str) -> list[Row]:
        return [
            (row["event_id"], row["user_id"], row["points"])
            for row in postgres.sql(LEDGER, database=database)
        ]

    def run(program: str, *arguments: str) -> None:
        subprocess.run([postgres.programs / program, *arguments], timeout=LIMIT_SECONDS, check=True)

    def copied() -> int:
        return int(redis.execute("HGET", "scoreboard:{main}:head", "version") or 0)

    postgres.create_database("before")
    assert scoreboard(tmp_path, "migrate", **settings("before")).returncode == 0
    before = live_through(
        tmp_path,
        settings("before"),
        lambda: run("pg_dump", "--format=custom", f"--file={dump}", postgres.url("before")),
    )
    whole = ledger("before")
    for name in ("ahead", "lost"):
        if name == "lost":
            redis.flush()
        postgres.create_database(name)
        options = ("--exit-on-error", "--single-transaction", "--no-owner")
        run("pg_restore", *options, f"--dbname={postgres.url(name)}", str(dump))
        restored = ledger(name)
        assert restored == whole[: len(restored)]
        assert scoreboard(tmp_path, "migrate", **settings(name)).returncode == 0
        assert copied() > len(restored) if name == "ahead" else copied() == 0
        assert_restored(tmp_path, settings(name), before, restored)
        assert copied() == len(ledger(name))


def test_a_sqlite_file_copied_under_load_can_be_restored(tmp_path: Path) -> None:
    database = tmp_path / "scoreboard.db"
    by_backup, by_vacuum = tmp_path / "backup.db", tmp_path / "vacuum.db"

    def back_up() -> None:
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(by_backup)) as target,
        ):
            source.backup(target)
            source.execute("VACUUM INTO ?", (str(by_vacuum),))

    before = live_through(tmp_path, SETTINGS, back_up)
    for copy in (by_backup, by_vacuum):
        # The write-ahead log of the lost file does not belong to the backup.
        for path in tmp_path.glob("scoreboard.db*"):
            if path.suffix != ".secret":
                path.unlink()
        shutil.copyfile(copy, database)
        assert scoreboard(tmp_path, "migrate", **SETTINGS).returncode == 0
        with closing(sqlite3.connect(database)) as connection:
            rows = connection.execute(LEDGER).fetchall()
        restored = [(UUID(event), user_id, points) for event, user_id, points in rows]
        assert_restored(tmp_path, SETTINGS, before, restored)
