"""PostgreSQL for the tests: databases on any server, and separate servers for single tests."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from tests.limits import LIMIT_SECONDS
from tests.servers.finding import POSTGRES_WHEEL, postgres_folder
from tests.servers.process import Server, ServerFailed, everybody_reaches, ordinary_user, until

ANSWER_SECONDS = 1.0

T = TypeVar("T")


def apart(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on an event loop in another thread, because the test's thread may already have one."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


class Postgres:
    """The databases of a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, database: str | None = None) -> str:
        """Return the address of a database, by default of the maintenance database."""
        address = urlsplit(self._url)
        return self._url if database is None else address._replace(path=f"/{database}").geturl()

    def sql(self, statement: str, *values: Any, database: str | None = None) -> list[asyncpg.Record]:
        """Run a statement with the values $1, $2 …, and return its rows."""

        async def run() -> list[asyncpg.Record]:
            async with self._connection(database) as connection:
                rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
                return rows

        return apart(run())

    def script(self, statements: str, database: str) -> None:
        """Run several statements."""

        async def run() -> None:
            async with self._connection(database) as connection:
                await connection.execute(statements)

        apart(run())

    @asynccontextmanager
    async def _connection(self, database: str | None) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(
            self.url(database), timeout=LIMIT_SECONDS, command_timeout=LIMIT_SECONDS
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=LIMIT_SECONDS)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create an empty database, or a copy of a database without connections."""
        self.sql(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))

    def drop_database(self, name: str) -> None:
        """Drop a database, and disconnect its clients."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class PostgresServer(Server, Postgres):
    """A PostgreSQL server with default settings. Its data survive `kill`, as they survive a crash.

    Settings are those of postgresql.conf: PostgresServer(max_connections=300, fsync=False).
    With `data_of`, it starts with a copy of the data of a stopped server.
    """

    NAME = "PostgreSQL"
    STOPS_BY = signal.SIGINT  # "fast" shutdown: does not wait for clients
    ENDS_BY = signal.SIGQUIT  # "immediate" shutdown: without a checkpoint

    def __init__(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        data_of: "PostgresServer | None" = None,
        **settings: str | float,
    ) -> None:
        super().__init__(environment, ordinary_user())
        self.data_of = data_of
        self.programs = postgres_folder()
        self.settings: dict[str, str | float] = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",  # a crash leaves no files outside its folder
            **settings,
        }

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str | None = None) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database or 'postgres'}"

    def start(self) -> None:
        if not self.data.exists():
            self._make_data()
        super().start()

    def command(self) -> list[str | Path]:
        settings = [f"--{name}={value}" for name, value in {**self.settings, "port": self.port}.items()]
        return [self.programs / "postgres", "-D", self.data, *settings]

    def answers(self) -> bool:
        async def ask() -> None:
            connection = await asyncpg.connect(self.url(), timeout=ANSWER_SECONDS)
            await connection.close(timeout=ANSWER_SECONDS)

        try:
            apart(ask())
        except (OSError, asyncpg.PostgresError):
            return False
        return True

    def demote(self) -> None:
        """Restart it as a standby without a primary: it can be read, and receives no new data."""
        self.stop()
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        self._give(signal_file)
        self.start()

    def refuse_writes(self, refuse: bool = True) -> None:
        """Make all transactions read-only, as an operator does before a switch-over."""
        setting = "on" if refuse else "off"
        self.sql(f"ALTER SYSTEM SET default_transaction_read_only = {setting}")
        self.sql("SELECT pg_reload_conf()")
        until(
            lambda: self.sql("SHOW default_transaction_read_only")[0][0] == setting,
            "PostgreSQL has read its settings",
        )

    def remove_traces(self) -> None:
        self._remove_shared_memory()
        super().remove_traces()

    def _make_data(self) -> None:
        if self.data_of is None:
            self._initialize()
        else:
            self._copy_data(self.data_of)

    def _copy_data(self, stopped: "PostgresServer") -> None:
        shutil.copytree(stopped.data, self.data, copy_function=shutil.copy)
        for path in (self.data, *self.data.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
            self._give(path)

    def _give(self, path: Path) -> None:
        """Make the server's user the owner of a file."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _initialize(self) -> None:
        of_a_wheel = POSTGRES_WHEEL in self.programs.parts
        if self.user is not None and of_a_wheel and not everybody_reaches(self.programs / "postgres"):
            self._copy_programs(self.user.pw_uid, self.user.pw_gid)
        names = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        with self._log.open("ab") as log:
            self._process = self.run(
                [self.programs / "initdb", f"--pgdata={self.data}", *names], log.fileno()
            )
        try:
            failed = self._process.wait(LIMIT_SECONDS) != 0
        except BaseException:
            self.kill()
            raise
        if failed:
            raise ServerFailed(f"initdb has failed:\n{self._log.read_text(errors='replace')}")

    def _copy_programs(self, user_id: int, group_id: int) -> None:
        """Copy the wheel's programs for the server's user: root's .venv may be closed to it."""
        package, copied = self.programs.parents[1], self.folder / "programs"
        # The libraries of a wheel may be in a folder next to its package.
        for part in package.parent.glob(f"{package.name}*"):
            shutil.copytree(part, copied / part.name, symlinks=True)
        for path in (copied, *copied.rglob("*")):
            os.chown(path, user_id, group_id, follow_symlinks=False)
        self.programs = copied / self.programs.relative_to(package.parent)

    def _remove_shared_memory(self) -> None:
        """Remove the System V shared memory segment that a killed server leaves.

        Its id is in line 7 of postmaster.pid, which a server removes at a normal shutdown
        (https://www.postgresql.org/docs/current/storage-file-layout.html).
        """
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return
        if len(lines) > 6:
            subprocess.run(["ipcrm", "-m", lines[6].split()[1]], check=False, capture_output=True)


class PostgresReplica(PostgresServer):
    """A streaming standby of another server. Without `data_of`, it stops that server and copies its data."""

    def __init__(self, primary: PostgresServer, data_of: PostgresServer | None = None) -> None:
        super().__init__(fsync=False, data_of=data_of)
        self._primary = primary

    def hold(self) -> None:
        """Pause replay until `follow`."""
        self.sql("SELECT pg_wal_replay_pause()")
        until(lambda: self._replay_is("paused"), "the replica holds")

    def follow(self) -> None:
        self.sql("SELECT pg_wal_replay_resume()")

    def promote(self) -> None:
        """Make it a primary."""
        self.sql("SELECT pg_promote()")
        until(lambda: self.sql("SELECT pg_is_in_recovery()")[0][0] is False, "the replica is a primary")

    def catch_up(self) -> None:
        """Wait until it has replayed everything that the primary has committed so far."""
        newest = self._primary.sql("SELECT pg_current_wal_lsn()::text")[0][0]
        shows = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
        until(lambda: bool(self.sql(shows, newest)[0][0]), "the replica has caught up")

    def _replay_is(self, state: str) -> bool:
        return bool(self.sql("SELECT pg_get_wal_replay_pause_state()")[0][0] == state)

    def _make_data(self) -> None:
        if self.data_of is None:
            self._primary.stop()
            self._copy_data(self._primary)
            self._primary.start()
        else:
            self._copy_data(self.data_of)
        (self.data / "standby.signal").touch()
        self._give(self.data / "standby.signal")
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = 'host=127.0.0.1 port={self._primary.port} user=postgres'\n")
