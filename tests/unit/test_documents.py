"""What the documents say can be run."""

import re
from pathlib import Path

import asyncpg

from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql import PostgresqlStore
from scoreboard.store.postgresql_database import Limits
from tests.making import DUEL, MAIN, SIDE, UNLIMITED, VISIT, commit, submission

SCHEMA = (Path(__file__).parents[2] / "docs" / "database-schema.md").read_text()


async def test_each_sample_query_answers_what_it_says(migrated_url: str) -> None:
    limits = Limits(connections=3, silence_seconds=5, lock_seconds=5, statement_seconds=5)
    async with PostgresqlStore(migrated_url, limit=UNLIMITED, clock=None, limits=limits) as store:
        await store.ensure([MAIN, SIDE])
        await commit(store, submission("bob", DUEL), submission("ada"), submission("cyd", VISIT))
        await commit(store, submission("ada", DUEL), submission("bob", name="Bob"))
        expected = [(e.rank, e.user_id, e.name, e.score) for e in (await store.page("main", 10, 0)).entries]
    (block,) = re.findall(r"```sql\n(.*?)```", SCHEMA, re.DOTALL)
    statements = [statement for statement in block.split(";\n") if statement.strip()]
    connection = await asyncpg.connect(migrated_url)
    top, past, last, by_action, gaps = [[tuple(row) for row in await connection.fetch(one)] for one in statements]
    await connection.close()
    assert top == expected == [(1, "ada", None, 80), (2, "bob", "Bob", 80)]
    assert past == [("ada", 80, 3), ("bob", 80, 4)]
    assert [(row[2], row[4]) for row in last] == [("duel", 80), ("quest", 50)]
    assert sorted(by_action) == [("duel", 2, 60), ("quest", 2, 100), ("visit", 1, 5)]
    assert gaps == []


def test_the_locks_are_named_as_they_are() -> None:
    assert f"pg_advisory_xact_lock({APPLICATION_ID}, boards.key)" in SCHEMA
