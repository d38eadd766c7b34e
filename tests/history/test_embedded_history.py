"""One server on one SQLite file, killed under load: its history is correct."""

import asyncio
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from scoreboard.clock import SystemClock
from scoreboard.domain.submissions import Caller
from scoreboard.web.auth.key_sources import Keys, secrets
from scoreboard.web.auth.tokens import Tokens
from tests.e2e.processes import Process, serving
from tests.harness import SECRET, settings_in
from tests.history.checker import check
from tests.history.clients import Plan
from tests.history.recording import recording
from tests.history.records import Acknowledged, Refused
from tests.history.store_ledger import with_ledger
from tests.servers.process import free_port

LIMIT = "20/minute"
"""Busy users exceed the limit on a machine of any speed, the others do not."""

PLAN = Plan(users=30, rate=300.0, timeout_seconds=2.0)


async def test_a_killed_server_keeps_every_promise(tmp_path: Path) -> None:
    port = free_port()
    tokens = Tokens(Keys(secrets(SECRET.encode())), SystemClock())
    settings = settings_in(tmp_path, rate_limit=LIMIT)

    with ExitStack() as stack:

        async def serve() -> Process:
            """Start a server in a thread, so that the load continues meanwhile."""
            server = serving(tmp_path, SCOREBOARD_PORT=str(port), SCOREBOARD_RATE_LIMIT=LIMIT)
            process, _ = await asyncio.to_thread(stack.enter_context, server)
            return process

        process = await serve()
        urls = [f"http://127.0.0.1:{port}"]
        async with recording(urls, lambda user_id: tokens.sign(Caller(user_id), 3_600), PLAN) as load:
            await load.more_acknowledged(150)
            await asyncio.to_thread(process.end, signal.SIGKILL)
            await serve()
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
