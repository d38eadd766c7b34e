"""The sample queries of `docs/database-schema.md` run on PostgreSQL and return what their comments say."""

from pathlib import Path

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from tests.making import DUEL, VISIT, commit, submission
from tests.servers.postgresql import Postgres
from tests.stores import open_postgresql

QUERIES = (Path(__file__).parents[3] / "docs" / "sample-queries.sql").read_text(encoding="utf-8")


async def test_each_sample_query_returns_what_it_says(migrated_url: str) -> None:
    async with open_postgresql(migrated_url) as store:
        await commit(store, submission("bob", DUEL), submission("ada"), submission("cyd", VISIT))
        await commit(store, submission("ada", DUEL), submission("bob", name="Bob"))
        expected = [
            (e.rank, e.user_id, e.name, e.score)
            for e in (await store.read("main", ALL_TIME, Page(10))).entries
        ]
    statements = [statement for statement in QUERIES.split(";\n") if statement.strip()]
    database = Postgres(migrated_url)
    top, past, last, by_action, gaps = [[tuple(row) for row in database.sql(one)] for one in statements]
    assert top == expected == [(1, "ada", None, 80), (2, "bob", "Bob", 80)]
    assert past == [("ada", 80, 3), ("bob", 80, 4)]
    assert [(row[2], row[4]) for row in last] == [("duel", 80), ("quest", 50)]
    assert sorted(by_action) == [("duel", 2, 60), ("quest", 2, 100), ("visit", 1, 5)]
    assert gaps == []
