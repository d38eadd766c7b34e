"""The database itself refuses to change the ledger and the audit log."""

import sqlite3

import asyncpg
import pytest

from scoreboard.domain.events import EventKind
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.store import Store
from tests.contract.conftest import Query
from tests.contract.correcting import about, correct
from tests.making import (
    commit,
    submission,
)


async def test_the_clocks_reading_of_an_event_cannot_be_changed(store: Store, query: Query) -> None:
    await commit(store, submission("ada"))
    with pytest.raises((sqlite3.Error, asyncpg.PostgresError), match="append-only"):
        query("UPDATE score_events SET clock_us = 7")


async def test_a_correction_cannot_be_changed(store: AdminStore, query: Query) -> None:
    await commit(store, submission("ada"))
    await correct(store, about(EventKind.BAN))
    for statement in (
        "UPDATE corrections SET actor = 'x'",
        "UPDATE corrections SET reason = 'x'",
        "DELETE FROM corrections",
    ):
        with pytest.raises(Exception, match="append-only"):
            query(statement.format("corrections"))


async def test_only_the_provenance_of_an_event_can_be_removed(store: AdminStore, query: Query) -> None:
    await commit(store, submission("ada"))
    query("UPDATE score_events SET token_id = NULL, address_hash = NULL")
    for change in (
        "token_id = 'x'",
        "agent_hash = 7",
        "points = 7",
        "proof_digest = NULL",
        "target_version = 1",
    ):
        with pytest.raises(Exception, match="append-only"):
            query(f"UPDATE score_events SET {change}")
