"""The PostgreSQL store: checks of the database, lost connections, and query plans."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from scoreboard.domain.decisions import Acceptance, Decision
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import ClockUnsure, OutcomeUnknown, SchemaError, StartError, StoreUnavailable
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.submissions import Submission
from scoreboard.store import reads
from scoreboard.store.administration import reads as admin_reads
from scoreboard.store.facts import shape_of
from scoreboard.store.postgresql import postgresql_database
from scoreboard.store.postgresql.connections import Access, Connections
from scoreboard.store.postgresql.facts import facts_arrays, facts_statement
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits, make_server
from scoreboard.store.postgresql.store import PostgresqlStore
from scoreboard.store.schema import newest_revision
from tests.limits import LIMIT_SECONDS, PATIENT_POSTGRESQL
from tests.making import (
    QUEST,
    commit,
    decide_with,
    digest,
    proof,
    submission,
)
from tests.relay import Relay
from tests.servers.postgresql import Postgres
from tests.service import until
from tests.stores import open_postgresql, statements_of

IMPATIENT = replace(PATIENT_POSTGRESQL, silence_seconds=0.5)


@asynccontextmanager
async def pool(url: str, access: Access) -> AsyncIterator[Connections]:
    server = make_server(url, PATIENT_POSTGRESQL)
    async with server.prober, Connections(server, PATIENT_POSTGRESQL, 1, access) as connections:
        yield connections


@pytest.fixture
def database(migrated_url: str) -> Postgres:
    """The test's database, without a store."""
    return Postgres(migrated_url)


@asynccontextmanager
async def relayed(
    url: str, limits: DatabaseLimits = PATIENT_POSTGRESQL
) -> AsyncIterator[tuple[Relay, PostgresqlStore]]:
    """Open a store through a relay."""
    async with Relay.to(url) as relay, open_postgresql(relay.through(url), limits) as store:
        yield relay, store


TERMINATE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""Ends all other connections, as a restart or an operator does."""


def test_of_several_processes_that_migrate_at_once_one_does_it(database_url: str) -> None:
    with ThreadPoolExecutor(4) as executor:
        done = list(executor.map(postgresql_database.migrate, [database_url] * 4))
    assert sorted(done, key=str) == [(newest_revision(), newest_revision())] * 3 + [(None, newest_revision())]


async def test_the_error_of_an_empty_database_names_the_command(database_url: str) -> None:
    with pytest.raises(SchemaError, match=r"is empty.*scoreboard migrate"):
        await postgresql_database.check(database_url)


async def test_a_database_that_is_not_utf8_is_refused(postgres: Postgres) -> None:
    name = f"scoreboard_test_{uuid4().hex}"
    latin = f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    await asyncio.to_thread(postgres.sql, latin)
    with pytest.raises(StartError, match=r"LATIN1.*UTF8"):
        await asyncio.to_thread(postgresql_database.migrate, postgres.url(name))
    await asyncio.to_thread(postgres.drop_database, name)


async def test_asynchronous_commits_log_a_warning(database: Postgres) -> None:
    database.sql(f"ALTER DATABASE {urlsplit(database.url()).path[1:]} SET synchronous_commit = off")
    with capture_logs() as logs:
        await postgresql_database.check(database.url())
    assert ["synchronous_commit" in line["event"] for line in logs] == [True]


async def test_the_error_of_a_missing_server_has_no_password() -> None:
    with pytest.raises(StartError, match=r"127\.0\.0\.1:1/none cannot be used") as refused:
        await postgresql_database.check("postgresql://me:a-secret@127.0.0.1:1/none")
    assert "a-secret" not in str(refused.value)


async def test_time_is_that_of_the_database(database: Postgres, store: PostgresqlStore) -> None:
    (event,) = await commit(store, submission())
    now_us = database.sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0]
    assert now_us - 60_000_000 < event.at_us <= now_us


async def test_connections_that_were_lost_while_idle_cause_no_error(
    database: Postgres, store: PostgresqlStore
) -> None:
    await commit(store, submission())
    await store.heads()
    database.sql(TERMINATE_OTHERS)
    assert len(await commit(store, submission())) == 1
    assert (await store.heads())["main"].version == 2


async def test_a_submission_counts_once_if_its_connection_is_lost(
    database: Postgres, store: PostgresqlStore
) -> None:
    decided = 0

    def decide_batch(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
        nonlocal decided
        decided += 1
        if decided == 1:
            database.sql(TERMINATE_OTHERS)
        return decide_with()(batch, facts)

    decision = await store.commit({"main"}, lambda: [submission(key=1)], decide_batch)
    assert decided == 2
    assert await store.events("main", 0, 10) == list(decision.events)


async def test_a_commit_whose_response_is_lost_is_looked_up(migrated_url: str) -> None:
    async with relayed(migrated_url) as (relay, store):
        relay.cut_after = b"COMMIT\0"
        (event,) = await commit(store, submission())
        assert relay.has_cut
        assert await store.events("main", 0, 10) == [event]


async def test_a_commit_that_never_arrived_is_looked_up_and_not_acknowledged(migrated_url: str) -> None:
    async with relayed(migrated_url) as (relay, store):
        relay.cut_before = b"COMMIT\0"
        with pytest.raises(StoreUnavailable):
            await commit(store, submission(key=1))
        assert await store.events("main", 0, 10) == []
        assert len(await commit(store, submission(key=1))) == 1


async def test_a_connection_that_is_lost_during_a_rollback_is_replaced(migrated_url: str) -> None:
    def refuse(_batch: Sequence[Submission], _facts: BatchFacts) -> Decision:
        raise ClockUnsure

    async with relayed(migrated_url) as (relay, store):
        relay.cut_before = b"ROLLBACK"
        with pytest.raises(ClockUnsure):
            await store.commit({"main"}, lambda: [submission()], refuse)
        assert len(await commit(store, submission())) == 1


async def test_all_connections_to_a_server_that_does_not_answer_are_closed_with_the_store(
    migrated_url: str,
) -> None:
    async with Relay.to(migrated_url) as relay:
        # A busy machine may need long to connect.
        url = f"{relay.through(migrated_url)}?connect_timeout=30"
        async with open_postgresql(url, replace(PATIENT_POSTGRESQL, silence_seconds=2)) as store:
            await asyncio.gather(store.heads(), store.heads())
            relay.passes.clear()
        relay.passes.set()
        await until(lambda: relay.open == 0)


async def test_the_outcome_is_unknown_if_it_cannot_be_looked_up_and_a_repeat_counts_once(
    migrated_url: str, store: PostgresqlStore
) -> None:
    async with relayed(migrated_url, IMPATIENT) as (relay, cut_off):
        relay.cut_after = b"COMMIT\0"

        def refuse_from_now_on(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            relay.is_refusing = True
            return decide_with()(batch, facts)

        one = submission(key=1)
        with pytest.raises(OutcomeUnknown):
            await cut_off.commit({"main"}, lambda: [one], refuse_from_now_on)
        relay.is_refusing = False
        again = await cut_off.commit({"main"}, lambda: [submission(key=1)], decide_with())
    (event,) = await store.events("main", 0, 10)
    assert again.outcomes == (Acceptance(event, replayed=True),)


async def test_a_database_that_does_not_answer_is_detected_in_time(migrated_url: str) -> None:
    async with relayed(migrated_url, IMPATIENT) as (relay, store):
        await commit(store, submission())
        relay.passes.clear()
        for _ in range(3):
            async with asyncio.timeout(LIMIT_SECONDS):
                with pytest.raises(StoreUnavailable):
                    await store.commit({"main"}, pytest.fail, decide_with())
                with pytest.raises(StoreUnavailable):
                    await store.heads()
        relay.passes.set()
        assert len(await commit(store, submission())) == 1


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("analyzed", [False, True], ids=["never analyzed", "analyzed"])
async def test_the_plan_of_the_facts_statement_is_good_if_it_is_made_on_empty_tables(
    database: Postgres, analyzed: bool
) -> None:
    """With a cached plan and a similar index, each look-up would read a whole board."""
    if analyzed:
        database.sql("ANALYZE")
    action = replace(QUEST, max_per_day=2, max_per_period={PeriodKind.WEEK: 2}, requires="login")
    one = replace(submission(action=action), key=digest(1, 2), proof=proof(3, 4))
    arrays = facts_arrays([one], {"main": 1})
    shape = shape_of([one], {"main": Definition(periods=(PeriodKind.WEEK,))})
    async with pool(database.url(), "write") as connections, connections.transaction() as transaction:
        explain = f"EXPLAIN {facts_statement(tuple(arrays), shape)}"
        rows = await transaction.raw.fetch(explain, 10, None, *arrays.values())
    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    used = re.findall(r"Index (?:Only )?Scan(?: Backward)? using (\w+)", plan)
    assert set(used) == {
        "boards_pkey",
        "players_user_id_key",
        "standings_pkey",
        "score_events_action",
        "score_events_seq",
        "score_events_idempotency",
        "score_events_period",
        "score_events_proof",
    }
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("store")  # it has registered the boards
@pytest.mark.parametrize("read", [reads.events, admin_reads.ledger], ids=["events", "ledger"])
async def test_a_page_of_the_ledger_is_read_in_the_order_of_its_index(
    database: Postgres, read: Callable[[Connection, str, int, int], object]
) -> None:
    """Otherwise each page sorts all later events, and `verify` and `export` are slow on a large ledger."""
    database.sql("INSERT INTO players (key, user_id, seq) VALUES (1, 'ada', 20000)")
    database.sql(
        "INSERT INTO score_events (board_key, version, event_id, kind, player_key, points, score, at_us) "
        "SELECT 1, n, gen_random_uuid(), 'adjust', 1, 1, n, n FROM generate_series(1, 20000) AS g(n)"
    )
    database.sql("ANALYZE")

    def plan(connection: Connection) -> str:
        executed = statements_of(connection)
        read(connection, "main", 1_000, 100)
        statement, parameters = executed[0]
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())

    async with pool(database.url(), "read") as connections:
        found = await connections.run(plan)
    assert "Index Scan using score_events_pkey" in found
    assert "Sort Key: score_events" not in found
