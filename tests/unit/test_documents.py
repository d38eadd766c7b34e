"""What the documents say can be run, and what they name is there."""

import ast
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from scoreboard.store.migrations import APPLICATION_ID
from scoreboard.store.postgresql import PostgresqlStore
from tests.clocks import HeldClock
from tests.harness import SECRET, running
from tests.limits import PATIENT_POSTGRESQL
from tests.making import DUEL, MAIN, SIDE, UNLIMITED, VISIT, commit, submission

ROOT = Path(__file__).parents[2]
SCHEMA = (ROOT / "docs" / "database-schema.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()
SHOWN_BY = re.findall(r"`(tests/[^`]*)`", SECURITY)
PYTHON = re.findall(r"```python\n(.*?)```", SECURITY, re.DOTALL)


async def test_each_sample_query_answers_what_it_says(migrated_url: str) -> None:
    async with PostgresqlStore(migrated_url, limit=UNLIMITED, clock=None, limits=PATIENT_POSTGRESQL) as store:
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


@cache
def functions_of(path: Path) -> set[str]:
    """The names of the functions of a file."""
    if not path.is_file():
        return set()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


def test_each_threat_names_tests() -> None:
    rows = SECURITY.partition("\n## Threats\n")[2].partition("|---|---|---|\n")[2].splitlines()
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row.rpartition(" | ")[2]] == []


@pytest.mark.parametrize("named", sorted(set(SHOWN_BY)))
def test_each_test_that_the_security_document_names_is_there(named: str) -> None:
    path, _, function = named.partition("::")
    assert Path(path).name.startswith("test_")
    assert function.startswith("test_")
    assert function in functions_of(ROOT / path)


def test_the_tokens_that_the_security_document_signs_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREBOARD_JWT_SECRET", SECRET)
    there: dict[str, Any] = {}
    for example in (block for block in PYTHON if not block.startswith("# src/")):
        exec(example, there)
    clock = HeldClock(time.time_ns() // 1_000)
    with running(tmp_path, clock, jwt_unscoped_may_score=False) as scoreboard:
        own, trusted = there["user_token"]("ada", "Ada"), there["server_token"]("game")
        assert scoreboard.score("ada", token=own).status_code == 201
        assert scoreboard.score("bob", token=own).status_code == 403
        assert scoreboard.score("bob", token=trusted).status_code == 201
        assert [entry["name"] for entry in scoreboard.board()["entries"]] == ["Ada", "bob"]
        body = {"actionId": "quest", "userId": "ada", "proof": there["proof"]("ada", "quest")}
        headers = {"Authorization": f"Bearer {own}"}
        told = [scoreboard.client.post("/api/scores", json=body, headers=headers).status_code for _ in range(2)]
        assert told == [201, 409]


def stripped(code: str) -> str:
    return "\n".join(line.strip() for line in code.splitlines())


def test_the_code_that_the_security_document_shows_is_the_code_that_runs() -> None:
    shown = [block.partition("\n") for block in PYTHON if block.startswith("# src/")]
    assert len(shown) == 3
    for place, _, code in shown:
        assert stripped(code) in stripped((ROOT / place.removeprefix("# ")).read_text())
