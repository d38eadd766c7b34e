"""Databases that a test fills with an old schema, migrates, and opens."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Boolean, Connection, MetaData, text

from scoreboard.ports.admin_store import AdminStore
from scoreboard.store import schema
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.store import PostgresqlStore
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.limits import PATIENT_POSTGRESQL
from tests.making import UNLIMITED
from tests.servers.postgresql import apart

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

TABLES = ("boards", "players", "score_events", "corrections", "standings")


@dataclass(frozen=True)
class Database:
    """A database that a test fills, migrates, checks and opens."""

    run: Callable[[Callable[[Connection], Any]], Any]
    migrate: Callable[..., Any]
    check: Callable[[], Any]
    store: AdminStore


def in_file(path: Path) -> Database:
    def run(work: Callable[[Connection], Any]) -> Any:
        engine = sqlite_file.open_engine(path, "write")
        try:
            with engine.begin() as connection:
                return work(connection)
        finally:
            engine.dispose()

    path.touch()
    return Database(
        run,
        partial(sqlite_file.migrate, path),
        partial(sqlite_file.check, path),
        SqliteStore(path, limit=UNLIMITED, clock=HeldClock()),
    )


def on_server(url: str) -> Database:
    return Database(
        lambda work: apart(postgresql_database._once(url, work)),
        lambda *report: apart(asyncio.to_thread(postgresql_database.migrate, url, *report)),
        lambda: apart(postgresql_database.check(url)),
        PostgresqlStore(url, limit=UNLIMITED, clock=HeldClock(), limits=PATIENT_POSTGRESQL),
    )


def rows_of(connection: Connection) -> Rows:
    tables = MetaData()
    tables.reflect(connection)
    rows = {
        name: [dict(row) for row in connection.execute(tables.tables[name].select()).mappings()]
        for name in TABLES
    }
    for standing in rows["standings"]:
        # The name of earlier schemas.
        standing.setdefault("reached_version", abs(standing.get("tie_order", 0)))
    return rows


def fill(connection: Connection, revision: str, rows: Rows) -> None:
    """Create the schema of a revision, and insert rows, without the columns that it does not have."""
    config = schema.migration_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    tables = MetaData()
    tables.reflect(connection)
    # The first schema had no corrections.
    for table in (tables.tables[name] for name in TABLES if name in tables.tables):
        for row in rows[table.name]:
            values = {key: value for key, value in row.items() if key in table.c}
            for column in table.c:
                if isinstance(column.type, Boolean) and values.get(column.name) is not None:
                    values[column.name] = bool(values[column.name])
            connection.execute(table.insert().values(values))


def order_like_0002(connection: Connection) -> None:
    """Change the order to that of a program of 0002: the last event that changed the score, even if it was a
    void.
    """
    connection.execute(
        text(
            """
            UPDATE standings SET reached_version = (
                   SELECT max(e.version) FROM score_events e
                    WHERE e.board_key = standings.board_key AND e.player_key = standings.player_key
                    AND e.points <> 0)
            """
        )
    )
    connection.execute(
        text(
            """
            UPDATE standings SET reached_at_us = (
                   SELECT e.at_us FROM score_events e
                    WHERE e.board_key = standings.board_key AND e.version = standings.reached_version)
            """
        )
    )
