"""Databases of earlier programs keep their data in a migration. The order is that without void events."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

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
from scoreboard.store.tables import metadata
from tests.contract.correcting import about, check_boards, correct, of_event
from tests.contract.store.databases import Database, Rows, fill, order_like_0002, rows_of
from tests.making import DEFINITIONS, MAIN, SIDE, VISIT, check_copy, commit, submission


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
        expected = await store.read("main", ALL_TIME, Page(10))
        heads = await store.heads()
    old.run(partial(fill, revision="0002", rows=new.run(rows_of)))
    old.run(order_like_0002)
    before = old.run(rows_of)
    assert old.migrate() == ("0002", schema.newest_revision())
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(old.store)
        ranking = await stack.enter_async_context(MemoryRanking(DEFINITIONS))
        await store.register_boards([MAIN, SIDE])
        await ranking.apply(old_copy(before))
        assert (await ranking.read("main", ALL_TIME, Page(10))).entries != expected.entries
        await Applier(store, ranking).heal("main")
        assert (await store.read("main", ALL_TIME, Page(10))).entries == expected.entries
        await check_copy(ranking, store)
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


WRITTEN = json.loads((Path(__file__).parent / "data" / "written_by_0002_3.json").read_text(encoding="utf-8"))
"""A database with corrections, bans, hidden, renamed and erased players, a clock that went back, idempotency
keys and provenance. The last program of schema 0002.3 wrote it, and read the boards from it.
"""


async def test_a_database_of_the_previous_program_keeps_its_boards_and_continues(database: Database) -> None:
    tables = WRITTEN["tables"]
    rows = {
        name: [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        for name, table in tables.items()
    }
    database.run(partial(fill, revision=WRITTEN["schema"], rows=rows))
    steps: list[tuple[str, int, int]] = []
    assert database.migrate(lambda *step: steps.append(step)) == ("0002.3", schema.newest_revision())
    assert ("standings", len(rows["standings"]), len(rows["standings"])) in steps
    async with database.store as store:
        await store.register_boards([MAIN, SIDE])
        for board, expected in WRITTEN["boards"].items():
            found = await store.read(board, ALL_TIME, Page(100))
            shown = [[e.rank, e.user_id, e.name, e.score, e.reached_at_us] for e in found.entries]
            assert (found.version, found.players, shown) == tuple(expected.values())
        await check_boards(store)
        assert [record.event.version for record in await store.ledger("main", 0, 100)] == list(range(1, 27))
        assert await commit(store, submission("bob")) == []
        assert len(await commit(store, submission("cyd"))) == 1
        await correct(store, about(EventKind.UNBAN, "bob"))
        await correct(store, of_event(EventKind.UNVOID, 5))
        assert [entry.user_id for entry in (await store.read("main", ALL_TIME, Page(100))).entries] == [
            "cyd", "bob", "eve", "ada", "dan", "hal"
        ]  # fmt: skip
        await check_boards(store)
