"""The SQLite file: opening it, checking that it is a scoreboard database, and migrating it."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from scoreboard.domain.errors import SchemaError, StartError
from scoreboard.ports.progress import Report, ignore
from scoreboard.settings.file_permissions import check_writers
from scoreboard.store import schema
from scoreboard.store.migrations import APPLICATION_ID

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long a write waits for another process that writes to the same file."""

CACHE_KIB: Final = 65_536
"""Page cache of a connection. It holds the frequently used index pages of a million players."""

CHECKPOINT_PAGES: Final = 4_000
"""The write-ahead log is copied into the file after this many pages (16 MB), so rarely that it is cheap."""

HEADER_BYTES: Final = 100
"""The size of a header (https://www.sqlite.org/fileformat.html). A shorter file is not a SQLite file."""

log = structlog.get_logger()

Access = Literal["write", "read"]
_SUFFIXES: Final = ("-wal", "-shm")
_MODES: Final = {"write": "rw", "read": "ro"}


def open_engine(path: Path, access: Access, connections: int = 1) -> Engine:
    """Create an engine whose transactions take the write lock at once (`BEGIN IMMEDIATE`), or can only read.

    A commit is durable when it returns: a write-ahead log with `synchronous=FULL`
    (https://www.sqlite.org/pragma.html).
    """
    uri = f"file:{quote(str(path))}?mode={_MODES[access]}"

    def connect() -> sqlite3.Connection:
        # SQLAlchemy's pool gives a connection to one thread at a time. Transactions are started below.
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=connections, max_overflow=0
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(path)
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if access != "read":
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    @event.listens_for(engine, "checkout")
    def check_file(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        # SQLite would continue to write to a file that was moved or deleted, and lose the data. Open the path
        # again.
        if _identity(path) != record.info["file"]:
            raise DisconnectionError

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if access == "read" else "BEGIN IMMEDIATE")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file, or None if it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_new(path: Path) -> bool:
    """Return True if there is no file, or an empty database, which an interrupted first start leaves.

    Raises SchemaError if it is not a database, StartError if it cannot be opened or any user can change it.
    """
    # Check first: when SQLite opens a file, it applies its write-ahead log and deletes the log.
    _check_permissions(path)
    with _file_errors(path):
        if not path.exists() or path.stat().st_size == 0:
            return True
    with _open_connection(path, "read") as connection:
        tables = connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
        return bool(tables == 0 and _application_id(connection) == 0 and path.stat().st_size >= HEADER_BYTES)


def migrate(path: Path, report: Report = ignore) -> tuple[str | None, str]:
    """Create the file, or migrate it to this program's schema. Return the revisions before and after.

    Raises SchemaError for another database or a newer schema, StartError if the file cannot be opened.
    """
    if not path.parent.is_dir():
        raise StartError(
            f"The folder {path.parent} does not exist: create it, or set SCOREBOARD_DATABASE_URL."
        )
    if is_new(path):
        with _file_errors(path):
            # Other users must not read personal data. SQLite gives its log the mode of the file.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    else:
        with _open_connection(path, "read") as connection:
            _check_ours(connection, path)
    with _open_connection(path, "write") as connection, connection.begin():
        return schema.migrate(connection, report)


def check(path: Path) -> None:
    """Raise SchemaError if the file is not a scoreboard database with this program's schema."""
    if is_new(path):
        raise SchemaError(f"There is no database at {path}: run “scoreboard migrate”.")
    with _open_connection(path, "read") as connection:
        _check_ours(connection, path)
        schema.check(connection)


def _check_permissions(path: Path) -> None:
    """Raise StartError if any user of the machine can change the file, or what SQLite keeps next to it."""
    with _file_errors(path):
        # SQLite puts its own files next to the one that a symbolic link points to.
        real = path.resolve()
    for file in (path, *(real.with_name(f"{real.name}{suffix}") for suffix in _SUFFIXES)):
        check_writers(file, "the database", "600")


def _application_id(connection: Connection) -> int:
    found: int = connection.execute(text("PRAGMA application_id")).scalar_one()
    return found


def _check_ours(connection: Connection, path: Path) -> None:
    if _application_id(connection) != APPLICATION_ID:
        raise _not_ours(path)
    if path.stat().st_mode & stat.S_IROTH:
        log.warning("every user of this machine can read the database: run “chmod 600”", path=str(path))


@contextmanager
def _open_connection(path: Path, access: Access) -> Iterator[Connection]:
    """Open a connection, and close it at the end."""
    engine = open_engine(path, access)
    try:
        with _file_errors(path), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    """Replace errors of the file by a StartError or SchemaError."""
    try:
        yield
    except OSError as error:
        raise _unusable(path, error.strerror) from error
    except DBAPIError as error:
        cause = error.orig
        if (
            isinstance(cause, sqlite3.DatabaseError)
            and getattr(cause, "sqlite_errorname", "") == "SQLITE_NOTADB"
        ):
            raise _not_ours(path) from error
        raise _unusable(path, cause) from error


def _unusable(path: Path, reason: object) -> StartError:
    return StartError(f"The database {path} cannot be opened ({reason}): check the path and its permissions.")


def _not_ours(path: Path) -> SchemaError:
    return SchemaError(f"{path} is not a scoreboard database: set SCOREBOARD_DATABASE_URL to another file.")
