"""Locks, statements and stopped processes delay others only up to a limit, also behind pgbouncer."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event as ThreadEvent

import pytest

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.decisions import Decision
from scoreboard.domain.errors import StoreUnavailable
from scoreboard.domain.facts import BatchFacts
from scoreboard.domain.queries import Page
from scoreboard.domain.submissions import Submission
from tests.drivers.observer import HOLD_MAIN, Observer
from tests.limits import LIMIT_SECONDS, PATIENT_POSTGRESQL
from tests.making import VISIT, commit, decide_with, submission
from tests.servers.pgbouncer import PgBouncer
from tests.stores import open_postgresql

PARAMETERS = ", ".join(
    [
        *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"),
        *("jit", "plan_cache_mode", "enable_seqscan"),
    ]
)
WAYS = {
    "directly": None,
    "session pool": {"pool_mode": "session"},
    "session pool without parameters": {"pool_mode": "session", "ignore_startup_parameters": PARAMETERS},
    "transaction pool": {"pool_mode": "transaction"},
    "transaction pool without parameters": {
        "pool_mode": "transaction",
        "ignore_startup_parameters": PARAMETERS,
    },
}


@pytest.fixture(params=WAYS)
def url(request: pytest.FixtureRequest, migrated_url: str) -> Iterator[str]:
    settings = WAYS[request.param]
    if settings is None:
        yield migrated_url
        return
    with PgBouncer(migrated_url, **settings) as bouncer:
        yield bouncer.url


async def test_a_process_that_stops_while_it_holds_a_lock_is_disconnected_and_counts_once(url: str) -> None:
    holds, go_on = ThreadEvent(), ThreadEvent()

    async def stopped() -> None:
        decided = 0

        def stop(batch: Sequence[Submission], facts: BatchFacts) -> Decision:
            nonlocal decided
            decided += 1
            if decided == 1:
                holds.set()
                assert go_on.wait(LIMIT_SECONDS)
            return decide_with()(batch, facts)

        async with open_postgresql(
            url, replace(PATIENT_POSTGRESQL, idle_in_transaction_seconds=0.5)
        ) as other:
            await other.commit({"main"}, lambda: [submission("ada")], stop)

    with ThreadPoolExecutor(1) as executor:
        stopping = executor.submit(asyncio.run, stopped())
        try:
            assert await asyncio.to_thread(holds.wait, LIMIT_SECONDS)
            async with open_postgresql(url) as store, asyncio.timeout(LIMIT_SECONDS / 2):
                # Other boards are not locked. The server ends the transaction that holds the lock.
                assert len(await commit(store, submission("bob", VISIT))) == 1
                assert len(await commit(store, submission("bob"))) == 1
        finally:
            go_on.set()
        await asyncio.to_thread(stopping.result, LIMIT_SECONDS)
    async with open_postgresql(url) as store:
        assert [e.version for e in await store.events("main", 0, 10)] == [1, 2]


async def test_a_board_that_is_locked_for_too_long_is_reported_in_time(url: str, observer: Observer) -> None:
    limits = replace(PATIENT_POSTGRESQL, lock_seconds=0.2)
    async with open_postgresql(url, limits) as store:
        async with observer.holding(HOLD_MAIN), asyncio.timeout(LIMIT_SECONDS / 2):
            with pytest.raises(StoreUnavailable):
                await store.commit({"main"}, pytest.fail, decide_with())
            # The other board is not locked.
            assert len(await commit(store, submission("ada", VISIT))) == 1
        assert len(await commit(store, submission("ada"))) == 1


async def test_a_statement_that_takes_too_long_is_reported_in_time(
    migrated_url: str, observer: Observer
) -> None:
    limits = replace(PATIENT_POSTGRESQL, statement_seconds=0.2)
    async with open_postgresql(migrated_url, limits) as store:
        async with observer.holding("LOCK TABLE standings"), asyncio.timeout(LIMIT_SECONDS / 2):
            with pytest.raises(StoreUnavailable):
                await store.read("main", ALL_TIME, Page(10))
            with pytest.raises(StoreUnavailable):
                await commit(store, submission("ada"))
        assert len(await commit(store, submission("ada"))) == 1
        assert (await store.read("main", ALL_TIME, Page(10))).players == 1
