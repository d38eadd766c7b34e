"""The database itself refuses to change the ledger and the audit log."""

import sqlite3

import asyncpg
import pytest

from scoreboard.domain.events import EventKind
from scoreboard.ports.admin_store import AdminStore
from tests.contract.conftest import Query
from tests.contract.correcting import about, correct
from tests.making import commit, submission

REFUSED = [
    "DELETE FROM score_events",
    "DELETE FROM score_events WHERE version = 1",
    *(
        f"UPDATE score_events SET {change}"
        for change in (
            "points = 7",
            "clock_us = 7",
            "target_version = 1",
            "proof_digest = NULL",
            "token_id = 'x'",
            "agent_hash = 7",
            "period = '2026-11'",
            "column_1 = 7",
        )
    ),
    "DELETE FROM corrections",
    "UPDATE corrections SET actor = 'x'",
    "UPDATE corrections SET reason = 'x'",
]


async def test_the_ledger_and_the_audit_log_cannot_be_changed(
    store: AdminStore, query: Query, driver: str
) -> None:
    await commit(store, submission("ada"))
    await correct(store, about(EventKind.BAN))
    for statement in (*REFUSED, *(["TRUNCATE score_events"] if driver == "postgresql" else [])):
        with pytest.raises((sqlite3.IntegrityError, asyncpg.RaiseError), match="append-only"):
            query(statement)


async def test_the_provenance_of_an_event_can_be_removed(store: AdminStore, query: Query) -> None:
    await commit(store, submission("ada"))
    query("UPDATE score_events SET token_id = NULL, address_hash = NULL")
