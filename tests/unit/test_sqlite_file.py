"""The SQLite file: checks of the file and its schema, and a ledger that cannot be changed."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from scoreboard.domain.errors import SchemaError, StartError, StoreUnavailable
from scoreboard.store.schema import newest_revision
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from tests.making import commit, decide_with, submission
from tests.stores import execute, open_sqlite


def test_other_users_cannot_read_the_file(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o666, 0o602, 0o662])
def test_a_file_that_any_user_can_write_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    for use in (sqlite_file.check, sqlite_file.migrate):
        with pytest.raises(StartError, match="chmod 600"):
            use(path)


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize("by_link", [False, True], ids=["itself", "by a link"])
def test_a_log_that_any_user_can_write_is_refused(path: Path, suffix: str, by_link: bool) -> None:
    beside = path.with_name(path.name + suffix)
    beside.touch()
    beside.chmod(0o666)
    if by_link:
        link = path.with_name("link.db")
        link.symlink_to(path.name)
        path = link
    for use in (sqlite_file.check, sqlite_file.migrate):
        with pytest.raises(StartError, match=f"chmod 600 {beside}"):
            use(path)


@pytest.mark.parametrize(("mode", "warnings"), [(0o644, 1), (0o660, 0), (0o600, 0)])
def test_a_file_that_any_user_can_read_logs_a_warning(path: Path, mode: int, warnings: int) -> None:
    path.chmod(mode)
    with capture_logs() as logs:
        sqlite_file.check(path)
    assert len(logs) == warnings


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "a b?c%20#d.db"
    sqlite_file.migrate(path)
    sqlite_file.check(path)
    assert path.exists()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"x"], ids=["text", "one byte"])
def test_a_file_that_is_not_a_database_is_not_changed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    for open_it in (sqlite_file.migrate, sqlite_file.check):
        with pytest.raises(SchemaError, match="is not a scoreboard database"):
            open_it(path)
    assert path.read_bytes() == content


def test_the_error_of_an_older_schema_names_the_command(path: Path) -> None:
    execute(path, "DELETE FROM alembic_version")
    with pytest.raises(SchemaError, match=r"older schema.*scoreboard migrate"):
        sqlite_file.check(path)


def test_the_error_names_a_missing_file_or_folder(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="scoreboard migrate"):
        sqlite_file.check(tmp_path / "none.db")
    with pytest.raises(StartError, match="does not exist"):
        sqlite_file.migrate(tmp_path / "none" / "a.db")


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be opened"):
        sqlite_file.check(tmp_path)


def test_an_interrupted_first_start_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    execute(path, "PRAGMA journal_mode = WAL")
    assert path.stat().st_size > 0
    with pytest.raises(SchemaError, match="There is no database"):
        sqlite_file.check(path)
    assert sqlite_file.migrate(path) == (None, newest_revision())


@pytest.mark.parametrize("changed", ["version, points + 1000", "version + 100, points"])
async def test_an_event_cannot_be_replaced(path: Path, store: SqliteStore, changed: str) -> None:
    columns = (
        "board_key, event_id, kind, player_key, seq, action_id, action_seq, score, at_us, idempotency_digest"
    )
    rewritten = f"SELECT {columns}, {changed} FROM score_events"
    statement = f"INSERT OR REPLACE INTO score_events ({columns}, version, points) {rewritten}"
    before = await commit(store, submission(key=1))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        execute(path, statement)
    assert await store.events("main", 0, 10) == before


def test_a_reader_cannot_write(path: Path) -> None:
    engine = sqlite_file.open_engine(path, "read")
    with engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM boards")
    engine.dispose()


async def test_commits_are_synced_to_the_disk(path: Path) -> None:
    engine = sqlite_file.open_engine(path, "write")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    engine.dispose()


async def test_a_full_disk_is_reported_and_nothing_is_partly_written(store: SqliteStore) -> None:
    await commit(store, submission("ada"))
    engine = store._writer[0]
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable):
        await commit(store, *(submission("x" * 100 + str(n)) for n in range(500)))
    assert (await store.heads())["main"].version == 1
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert len(await commit(store, submission("bob"))) == 1


async def test_a_file_that_another_process_locks_for_too_long_is_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_SECONDS", 0.05)
    async with open_sqlite(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await store.commit({"main"}, pytest.fail, decide_with())
        other.execute("ROLLBACK")
        other.close()
        assert len(await commit(store, submission())) == 1
