"""Databases with this program's schema, one for each test.

A test's database is emptied and used again: creating and dropping one takes ten times as long.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

from scoreboard.store.postgresql.postgresql_database import migrate
from scoreboard.store.tables import metadata
from tests.servers.postgresql import Postgres

STRUCTURE = """
SELECT (SELECT string_agg(version_num, ',') FROM alembic_version),
       (SELECT string_agg(attname || atttypid::text, ',' ORDER BY attrelid, attnum) FROM pg_attribute
         WHERE attrelid >= 16384),
       (SELECT string_agg(tgname || tgenabled::text, ',' ORDER BY tgrelid, tgname) FROM pg_trigger),
       (SELECT string_agg(conname, ',' ORDER BY conrelid, conname) FROM pg_constraint WHERE conrelid >=
       16384),
       (SELECT string_agg(oid::text || md5(prosrc), ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
       (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
         WHERE d.datname = current_database())
"""
"""Everything that a test may change and that emptying the tables does not restore."""

EMPTY = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
AND pid <> pg_backend_pid();
SET session_replication_role = replica;
TRUNCATE {", ".join(metadata.tables)} RESTART IDENTITY;
"""
"""Triggers are off: one of them keeps the ledger from being emptied."""


def create_migrated(server: Postgres, name: str) -> None:
    server.create_database(name)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(migrate, server.url(name)).result()


class MigratedDatabases:
    """Copies of one migrated database on a server."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._template = _new_name()
        create_migrated(server, self._template)
        self._structure = server.sql(STRUCTURE, database=self._template)
        self._spare: list[str] = []

    @contextmanager
    def one(self) -> Iterator[str]:
        """Lend an empty database. A database whose structure is changed is dropped afterwards."""
        name = self._spare.pop() if self._spare else self._create()
        try:
            yield self._server.url(name)
        finally:
            if self._server.sql(STRUCTURE, database=name) == self._structure:
                self._server.script(EMPTY, database=name)
                self._spare.append(name)
            else:
                self._server.drop_database(name)

    def close(self) -> None:
        for name in (self._template, *self._spare):
            self._server.drop_database(name)

    def _create(self) -> str:
        name = _new_name()
        self._server.create_database(name, self._template)
        return name


def _new_name() -> str:
    return f"scoreboard_test_{uuid4().hex}"
