"""Two instances under load whose periods end every second: no event is in a wrong period, and every frame is
the board after an exact version.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chaos.ordeal import PLAN
from chaos.world import World
from scoreboard.domain.events import EventKind
from scoreboard.settings.catalog import load_catalog
from tests.history.checker import check
from tests.history.recording import recording
from tests.history.records import Acknowledged, Refused
from tests.history.store_ledger import with_ledger
from tests.limits import LIMIT_SECONDS

CATALOG = """
[boards.main]
title = "Main"
periods = ["day", "week", "month"]
timezone = "Europe/Berlin"
[boards.side]
title = "Side"
periods = ["day", "week"]
timezone = "Asia/Kathmandu"
[actions.quest]
board = "main"
points = 50
title = "Quest"
[actions.duel]
board = "main"
points = 30
title = "Duel"
[actions.visit]
board = "side"
points = 5
title = "Visit"
"""

LEAP_SECONDS = 12 * 3_600

LEAPS = 16
"""Eight days, so that a week ends."""

BETWEEN = 20
"""Acknowledged submissions between two leaps of the clock."""

PATIENT_SECONDS = "10"
"""No server is broken here, but the machine may be busy."""


@pytest.fixture
def leaping() -> Iterator[World]:
    with World(
        leaps=True,
        catalog=CATALOG,
        SCOREBOARD_REDIS_TIMEOUT_SECONDS=PATIENT_SECONDS,
        SCOREBOARD_DATABASE_TIMEOUT_SECONDS=PATIENT_SECONDS,
    ) as world:
        yield world
        world.print_logs()


async def test_every_promise_is_kept_while_periods_end(leaping: World) -> None:
    definitions = {
        board.id: board.definition for board in load_catalog(leaping.settings.catalog).boards.values()
    }
    plan = replace(PLAN, rate=80.0, timeout_seconds=10.0, definitions=definitions, share_for_period=0.3)
    async with recording(leaping.urls, leaping.token, plan) as load:
        for number in range(1, LEAPS + 1):
            await load.more_acknowledged(BETWEEN)
            is_middle = number == LEAPS // 2
            if is_middle:
                await asyncio.to_thread(leaping.instances[0].kill)
            leaping.clock.set_ahead(number * LEAP_SECONDS)
            if is_middle:
                await asyncio.to_thread(leaping.instances[0].start)
        await load.healed(LIMIT_SECONDS)
    history = await with_ledger(load.history, leaping.settings)

    assert check(history, leaping.settings.rate_limit) == []
    proof = await asyncio.to_thread(leaping.verify)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    begun = Counter(event.board for event in history.ledger if event.kind is EventKind.ROLLOVER)
    assert begun["main"] >= 3 + 8 + 1
    assert begun["side"] >= 2 + 8 + 1
    outcomes = [attempt.outcome for attempt in history.attempts if attempt.period is not None]
    assert any(isinstance(outcome, Acknowledged) for outcome in outcomes)
    assert any(isinstance(outcome, Refused) and outcome.code == "period_over" for outcome in outcomes)
    assert len({frame.snapshot.period for frame in history.frames}) > 8
