"""All reads of a correction use an index, since it holds the locks of all boards."""

from pathlib import Path

from scoreboard.domain.administration import Correction
from scoreboard.domain.events import EventKind
from scoreboard.store.administration.facts import read_facts
from scoreboard.store.sqlite import sqlite_file
from scoreboard.store.sqlite.store import SqliteStore
from tests.making import commit, submission
from tests.stores import statements_of


async def test_no_statement_reads_a_whole_board(path: Path, store: SqliteStore) -> None:
    await commit(store, submission("ada"))
    engine = sqlite_file.open_engine(path, "write")
    executed = statements_of(engine)
    with engine.begin() as connection:
        for correction in (
            Correction(EventKind.VOID, "root", "a test", user_id="ada", since_us=0),
            Correction(EventKind.VOID, "root", "a test", board="main", target_version=1),
        ):
            read_facts(connection, correction, 0)
        plans = [
            row[3]
            for statement, parameters in list(executed)
            if "FROM score_events" in statement
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    engine.dispose()
    assert any("score_events_target (target_version=?)" in plan for plan in plans)
    assert not [
        plan for plan in plans if plan.startswith("SCAN") or plan.endswith("PRIMARY KEY (board_key=?)")
    ], plans
