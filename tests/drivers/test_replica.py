"""Large reads come from a replica. Reads that must be current do not depend on it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from scoreboard.domain.administration import Suspect, SuspicionThresholds
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Page
from scoreboard.domain.standings import ChangeKind
from scoreboard.ranking.memory import MemoryRanking
from scoreboard.services.apply import Applier
from scoreboard.store.postgresql.store import PostgresqlStore
from tests.limits import PATIENT_POSTGRESQL
from tests.making import DEFINITIONS, check_copy, commit, submission
from tests.servers.databases import create_migrated
from tests.servers.postgresql import PostgresReplica, PostgresServer
from tests.stores import open_postgresql

LIMITS = replace(PATIENT_POSTGRESQL, silence_seconds=2)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[PostgresServer, PostgresReplica]]:
    with PostgresServer(fsync=False) as primary:
        create_migrated(primary, "migrated")
        with PostgresReplica(primary) as replica:
            yield primary, replica


@pytest.fixture
def primary(servers: tuple[PostgresServer, PostgresReplica]) -> Iterator[PostgresServer]:
    """A server with a database “scores”, which is replicated."""
    primary, replica = servers
    primary.create_database("scores", template="migrated")
    replica.catch_up()
    yield primary
    if not replica.runs:
        replica.start()
    replica.follow()
    primary.drop_database("scores")


@pytest.fixture
def replica(primary: PostgresServer, servers: tuple[PostgresServer, PostgresReplica]) -> PostgresReplica:
    return servers[1]


def opened(primary: PostgresServer, replica_url: str) -> AbstractAsyncContextManager[PostgresqlStore]:
    return open_postgresql(primary.url("scores"), LIMITS, replica_url=replica_url)


@pytest.fixture
async def store(primary: PostgresServer, replica: PostgresReplica) -> AsyncIterator[PostgresqlStore]:
    async with opened(primary, replica.url("scores")) as store:
        yield store


async def first_page(store: PostgresqlStore) -> tuple[ChangeKind, list[tuple[str, int, int]]]:
    """Return the first two standings of the main board, as a fill reads them: user id, score and version."""
    await store.heads()
    change = await store.changes("main", 0, 2)
    return change.kind, [
        (standing.user_id, standing.score, standing.version) for standing in change.standings
    ]


async def suspects(store: PostgresqlStore) -> Sequence[Suspect]:
    return await store.suspects(0, SuspicionThresholds(awards_an_hour=1), 10)


async def test_full_pages_come_from_a_replica_and_the_end_from_the_database(
    store: PostgresqlStore, replica: PostgresReplica
) -> None:
    await commit(store, submission("ada"), submission("bob"))
    replica.catch_up()
    replica.hold()
    await commit(store, submission("ada"))
    assert await first_page(store) == (ChangeKind.PAGE, [("ada", 50, 1), ("bob", 50, 2)])
    # Changes that do not fill a page are read from the database.
    assert len((await store.changes("main", 0, 3)).standings) == 2
    last = await store.changes("main", 2, 2)
    assert (last.kind, last.to_version) == (ChangeKind.LAST_PAGE, 3)
    assert [(standing.user_id, standing.score) for standing in last.standings] == [("ada", 100)]


async def test_a_ranking_that_is_filled_from_a_late_replica_equals_the_board(
    store: PostgresqlStore, replica: PostgresReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreboard.services.apply.PAGE_SIZE", 50)
    users = [f"user-{number}" for number in range(120)]
    await commit(store, *map(submission, users))
    replica.catch_up()
    replica.hold()
    await commit(store, *map(submission, users[::10]))
    async with MemoryRanking(DEFINITIONS) as ranking:
        await Applier(store, ranking).heal("main")
        await check_copy(ranking, store, len(users))


async def test_no_read_waits_for_an_unreachable_replica(
    store: PostgresqlStore, replica: PostgresReplica
) -> None:
    await commit(store, submission("ada"), submission("bob"), submission("cyd"))
    replica.kill()
    with capture_logs() as logs:
        for _ in range(3):
            assert (await first_page(store))[1] == [("ada", 50, 1), ("bob", 50, 2)]
    assert [line["event"] for line in logs] == ["server unavailable, circuit breaker opened"]


@pytest.fixture
def restored(primary: PostgresServer) -> Iterator[str]:
    """The former replica of a database that was restored from a backup: its history differs."""
    primary.create_database("before", template="migrated")
    yield primary.url("before")
    primary.drop_database("before")


async def test_a_replica_with_another_history_is_not_used(primary: PostgresServer, restored: str) -> None:
    """The backup has three events. A page up to them is the same, except for standings changed since."""
    backup = [submission("ada"), submission("bob"), submission("cyd")]
    async with open_postgresql(restored) as before, opened(primary, restored) as store:
        for one in (before, store):
            await commit(one, *backup)
        await commit(before, submission("ada"))
        await commit(store, submission("dan"), submission("eve"))
        assert (await first_page(store))[1] == [("ada", 50, 1), ("bob", 50, 2)]
        assert [record.user_id for record in await store.ledger("main", 3, 10)] == ["dan", "eve"]
        assert {suspect.user_id for suspect in await suspects(store)} == {"ada", "bob", "cyd", "dan", "eve"}


async def test_a_replica_without_the_board_is_not_used(primary: PostgresServer, restored: str) -> None:
    async with opened(primary, restored) as store:
        await commit(store, submission("ada"), submission("bob"), submission("cyd"))
        assert (await first_page(store))[1] == [("ada", 50, 1), ("bob", 50, 2)]


async def test_a_replica_with_rows_of_an_unknown_kind_is_not_used(
    primary: PostgresServer, restored: str
) -> None:
    async with open_postgresql(restored) as before, opened(primary, restored) as store:
        for one in (before, store):
            await commit(one, submission("ada"), submission("bob"), submission("cyd"))
        primary.sql("ALTER TABLE score_events DISABLE TRIGGER USER", database="before")
        primary.sql("UPDATE score_events SET kind = 'teleport'", database="before")
        assert (await first_page(store))[1] == [("ada", 50, 1), ("bob", 50, 2)]


async def test_suspects_are_read_from_a_replica_or_else_from_the_database(
    store: PostgresqlStore, replica: PostgresReplica
) -> None:
    replica.catch_up()
    replica.hold()
    await commit(store, submission("ada"))
    assert await suspects(store) == []
    replica.kill()
    assert [suspect.user_id for suspect in await suspects(store)] == ["ada"]


async def test_a_ledger_is_read_from_a_replica_and_its_newest_events_from_the_database(
    store: PostgresqlStore, replica: PostgresReplica
) -> None:
    await commit(store, submission("ada"))
    replica.catch_up()
    replica.hold()
    await commit(store, submission("bob"))
    assert [record.user_id for record in await store.ledger("main", 0, 10)] == ["ada"]
    assert [record.user_id for record in await store.ledger("main", 1, 10)] == ["bob"]


async def test_reads_that_must_be_current_do_not_use_a_replica(
    store: PostgresqlStore, replica: PostgresReplica
) -> None:
    replica.catch_up()
    replica.hold()
    await commit(store, submission("ada"))
    assert (await store.heads())["main"].version == 1
    assert len(await store.events("main", 0, 10)) == 1
    assert (await store.read("main", ALL_TIME, Page(10))).players == 1
    assert len(await store.history("ada", None, 10)) == 1


async def test_the_connections_to_a_replica_are_reported(store: PostgresqlStore) -> None:
    assert store.pools()["database-replica"] == (0, 2)
