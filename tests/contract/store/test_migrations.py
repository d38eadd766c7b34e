"""Databases of earlier programs keep their data in a migration. The order is that without void events."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.errors import SchemaError
from scoreboard.domain.events import EventKind, Head
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.services.verify import verify
from scoreboard.store import schema
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.store import PostgresqlStore
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from scoreboard.store.tables import metadata
from tests.clocks import HeldClock
from tests.contract.correcting import about, check_boards, correct, of_event
from tests.limits import PATIENT_POSTGRESQL
from tests.making import DEFINITIONS, MAIN, SIDE, UNLIMITED, VISIT, commit, submission
from tests.servers.postgresql import Postgres, apart

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

TABLES = ("boards", "players", "score_events", "corrections", "standings")


@dataclass(frozen=True)
class Database:
    """A database that a test fills, migrates, checks and opens."""

    run: Callable[[Callable[[Connection], Any]], Any]
    migrate: Callable[[], Any]
    check: Callable[[], Any]
    store: AdminStore


def _in_file(path: Path) -> Database:
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


def _on_server(url: str) -> Database:
    return Database(
        lambda work: apart(postgresql_database._once(url, work)),
        lambda: apart(asyncio.to_thread(postgresql_database.migrate, url)),
        lambda: apart(postgresql_database.check(url)),
        PostgresqlStore(url, limit=UNLIMITED, clock=HeldClock(), limits=PATIENT_POSTGRESQL),
    )


@pytest.fixture
def make_database(
    driver: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Database]]:
    """Creates an empty database."""
    if driver == "sqlite":
        yield lambda: _in_file(tmp_path / f"{uuid4()}.db")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    names: list[str] = []

    def make() -> Database:
        names.append(f"scoreboard_test_{uuid4().hex}")
        postgres.create_database(names[-1])
        return _on_server(postgres.url(names[-1]))

    yield make
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    return make_database()


@pytest.fixture
def databases(make_database: Callable[[], Database]) -> tuple[Database, Database]:
    """A database for the newest schema, and one for an old one."""
    return make_database(), make_database()


def test_the_migrations_create_the_tables_of_the_code_once(database: Database) -> None:
    assert database.migrate() == (None, schema.newest_revision())
    assert database.migrate() == (schema.newest_revision(), schema.newest_revision())
    differences = database.run(lambda it: compare_metadata(MigrationContext.configure(it), metadata))
    assert differences == []


def test_the_database_of_another_program_is_not_changed(database: Database) -> None:
    database.run(lambda it: it.exec_driver_sql("CREATE TABLE mine (a INTEGER)"))
    for use in (database.migrate, database.check):
        with pytest.raises(SchemaError, match=r"tables of another program|is not a scoreboard database"):
            use()


def test_a_newer_schema_requires_a_newer_program(database: Database) -> None:
    database.migrate()
    database.run(lambda it: it.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    for use in (database.migrate, database.check):
        with pytest.raises(SchemaError, match="newer schema"):
            use()


def test_the_program_knows_every_revision() -> None:
    scripts = ScriptDirectory.from_config(schema.migration_config()).walk_revisions()
    assert [script.revision for script in scripts][::-1] == list(schema.REVISIONS)


def rows_of(connection: Connection) -> Rows:
    tables = MetaData()
    tables.reflect(connection)
    return {
        name: [dict(row) for row in connection.execute(tables.tables[name].select()).mappings()]
        for name in TABLES
    }


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
            connection.execute(
                table.insert().values({key: value for key, value in row.items() if key in table.c})
            )
    # A program of 0002 wrote the last event that changed the score, even if it was a void.
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


async def play(store: AdminStore) -> None:
    """Write players with equal scores, some corrected, and one who has lost all points, on two boards."""
    await store.register_boards([MAIN, SIDE])
    for user_id in ("ada", "bob", "cyd", "dan", "ada", "bob", "cyd", "eve", "eve"):
        await commit(store, submission(user_id))
    await commit(store, submission("dan", VISIT))
    await correct(store, of_event(EventKind.VOID, 5))
    await correct(store, of_event(EventKind.UNVOID, 5))
    await correct(store, of_event(EventKind.VOID, 2))
    await correct(store, about(EventKind.ADJUST, "cyd", board="main", points=1))
    await correct(store, about(EventKind.VOID, "dan", since_us=0))


def old_copy(rows: Rows) -> Change:
    """Return the main board as a ranking had it."""
    (main,) = (board for board in rows["boards"] if board["id"] == "main")
    who = {player["key"]: player for player in rows["players"]}
    standings = tuple(
        Standing(
            row["player_key"], who[row["player_key"]]["user_id"], None, row["score"], row["reached_version"],
            row["reached_at_us"], row["version"], who[row["player_key"]]["seq"], row["listed"],
        )
        for row in sorted(rows["standings"], key=lambda row: row["version"])
        if row["board_key"] == main["key"]
    )  # fmt: skip
    return Change("main", ChangeKind.LAST_PAGE, 0, main["version"], main["at_us"], standings)


async def test_the_order_is_recomputed_and_copies_follow(
    databases: tuple[Database, Database],
) -> None:
    new, old = databases
    new.migrate()
    async with new.store as store:
        await play(store)
        expected = await store.page("main", 10, 0)
        heads = await store.heads()
    old.run(partial(fill, revision="0002", rows=new.run(rows_of)))
    before = old.run(rows_of)
    assert old.migrate() == ("0002", schema.newest_revision())
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(old.store)
        ranking = await stack.enter_async_context(MemoryRanking(DEFINITIONS))
        await store.register_boards([MAIN, SIDE])
        await ranking.apply(old_copy(before))
        assert (await ranking.read("main", ALL_TIME, Page(10))).entries != expected.entries
        await Applier(store, ranking).heal("main")
        for page in (await store.page("main", 10, 0), await ranking.read("main", ALL_TIME, Page(10))):
            assert page.entries == expected.entries
        for board in ("main", "side"):
            assert (await verify(store, ranking, board, lambda *_: None)).differences == ()
        # ada, bob and dan moved on the main board, and dan on the other one. Unmoved players have no new
        # event.
        moved = {board: head.version - heads[board].version for board, head in (await store.heads()).items()}
        assert moved == {"main": 3, "side": 1}
        log = await store.corrections(None, 100)
        migrated = [record for record in log if record.actor == "scoreboard migrate"]
        assert {(record.event.kind, record.event.points) for record in migrated} == {(EventKind.ADJUST, 0)}
        assert len(migrated) == 4
        assert len(await commit(store, submission("bob"))) == 1


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_a_ledger_without_voids_is_unchanged_and_continues(
    databases: tuple[Database, Database], revision: str
) -> None:
    new, old = databases
    new.migrate()
    async with new.store as store:
        await store.register_boards([MAIN, SIDE])
        await commit(store, submission("ada"), submission("bob"))
        heads: Mapping[str, Head] = await store.heads()
    old.run(partial(fill, revision=revision, rows=new.run(rows_of)))
    old.migrate()
    async with old.store as store:
        assert await store.heads() == heads
        assert await store.corrections(None, 10) == []
        await store.register_boards([MAIN, SIDE])
        (event,) = await commit(store, submission("ada"))
        assert (event.version, event.score, event.seq, event.action_seq) == (3, 100, 2, 2)
        await check_boards(store)
