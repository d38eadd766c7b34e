"""After a migration that only adds, servers of the previous version continue, and can be started again."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

from scoreboard.settings.config import Settings
from scoreboard.store.schema import newest_revision
from tests.harness import running
from tests.limits import LIMIT_SECONDS
from tests.servers.postgresql import apart

ADDITIONS = (
    "ALTER TABLE boards ADD COLUMN season integer NOT NULL DEFAULT 1",
    "ALTER TABLE players ADD COLUMN country text",
    "ALTER TABLE score_events ADD COLUMN device text",
    "ALTER TABLE standings ADD COLUMN streak integer NOT NULL DEFAULT 0",
    f"UPDATE alembic_version SET version_num = '{newest_revision()}.9'",
)


def migrate_further(settings: Settings) -> None:
    """Migrate as the next version might do."""
    if not settings.is_distributed:
        with closing(sqlite3.connect(settings.database_path, isolation_level=None)) as file:
            for statement in ADDITIONS:
                file.execute(statement)
        return

    async def on_server() -> None:
        connection = await asyncpg.connect(settings.database_url)
        async with connection.transaction():
            for statement in ADDITIONS:
                await connection.execute(statement)
        await asyncio.wait_for(connection.close(), LIMIT_SECONDS)

    apart(on_server())


def test_servers_of_the_previous_version_continue_and_restart(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    with running(tmp_path, **deployment) as before:
        assert before.score("ada").status_code == 201
        with before.watch() as watcher:
            assert watcher.frame()["version"] == 1
            migrate_further(before.settings)
            answers = [before.score(user) for user in ("ada", "bob", "ada", "cyd")]
            assert [answer.status_code for answer in answers] == [201] * 4
            while watcher.frame()["version"] < 5:
                pass
        assert len(before.ledger()) == 5
    with running(tmp_path, **deployment) as again:
        assert again.score("bob").status_code == 201
        assert [entry["userId"] for entry in again.board()["entries"]] == ["ada", "bob", "cyd"]
