"""One server on one SQLite file, killed under load: its history is correct."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.e2e.instance import Instance
from tests.e2e.processes import environment, token
from tests.harness import settings_in
from tests.history.checker import check
from tests.history.clients import Plan
from tests.history.recording import recording
from tests.history.records import Acknowledged, Refused
from tests.history.store_ledger import with_ledger

LIMIT = "20/minute"
"""Busy users exceed the limit on a machine of any speed, the others do not."""

PLAN = Plan(users=30, rate=300.0, timeout_seconds=2.0)


async def test_a_killed_server_keeps_every_promise(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, rate_limit=LIMIT)
    given = {"SCOREBOARD_DATABASE_URL": settings.database_url, "SCOREBOARD_RATE_LIMIT": LIMIT}
    with Instance(environment(tmp_path, **given)) as server:
        async with recording([server.url], token, PLAN) as load:
            await load.more_acknowledged(150)
            # In a thread, so that the load continues meanwhile.
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await load.healed(10.0)
            await load.more_acknowledged(150)
        history = await with_ledger(load.history, settings)

    assert check(history, settings.rate_limit) == []
    answers = Counter(
        attempt.outcome.code if isinstance(attempt.outcome, Refused) else type(attempt.outcome).__name__
        for attempt in history.attempts
    )
    assert answers["Acknowledged"] >= 300
    assert answers["rate_limited"] > 0
    assert any(
        isinstance(attempt.outcome, Acknowledged) and attempt.outcome.replayed for attempt in history.attempts
    )
    assert len({frame.snapshot.version for frame in history.frames}) > 10
