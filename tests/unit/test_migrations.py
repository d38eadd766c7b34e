"""A database of an earlier program is migrated and keeps all its data."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from scoreboard.services.verify import verify
from scoreboard.store import schema
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.making import MAIN, UNLIMITED, commit, submission


async def test_a_ledger_of_the_first_schema_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "scoreboard.db"
    _make_the_first(path)
    sqlite_file.migrate(path)
    async with SqliteStore(path, limit=UNLIMITED, clock=HeldClock()) as store:
        await store.register_boards([MAIN])
        (event,) = await commit(store, submission("ada"))
        assert (event.version, event.score, event.seq, event.action_seq) == (2, 100, 2, 2)
        assert (await verify(store, None, "main", lambda *_: None)).differences == ()


def test_the_program_knows_every_revision() -> None:
    scripts = ScriptDirectory.from_config(schema.migration_config()).walk_revisions()
    assert [script.revision for script in scripts][::-1] == list(schema.REVISIONS)


def _make_the_first(path: Path) -> None:
    sqlite_file.migrate(path)
    engine = sqlite_file.open_engine(path, "write")
    with engine.begin() as connection:
        for table in ("score_events", "standings", "players", "boards", "corrections", "alembic_version"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        config = schema.migration_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(path) as raw:
        raw.executescript(
            """
            INSERT INTO boards VALUES (1, 'main', 1, 7);
            INSERT INTO players VALUES (1, 'ada', NULL, 1);
            INSERT INTO score_events VALUES
              (1, 1, '00000000000000000000000000000001', 'award', 1, 1, 'quest', 1, 50, 50, 7, NULL);
            INSERT INTO standings VALUES (1, 'all', 1, 50, 1, 7, 1, 1);
            """
        )
    raw.close()
