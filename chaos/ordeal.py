"""One fault, so many times, under load: how long each healing took, and what was wrong with the history in the end."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.faults import Fault
from chaos.world import World
from tests.history.checker import check
from tests.history.clients import Plan
from tests.history.recording import recording
from tests.history.truth import with_truth

HEALED_SECONDS = 10.0
"""How soon everything must work again once a fault has ended, with no hand."""

BETWEEN = 60
"""Submissions that are acknowledged between two faults."""

PLAN = Plan(users=40, rate=150.0, timeout_seconds=3.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it; all is well where `violations` is empty."""

    healed_seconds: Sequence[float]
    acknowledged: int
    frames: int
    violations: Sequence[str]


async def ordeal(
    world: World,
    fault: Fault,
    times: int,
    *,
    seed: int = 1,
    on_healed: Callable[[float], None] = lambda _: None,
) -> Verdict:
    """Break the world, which is new, again and again. Raises TimeoutError where it does not heal."""
    rng = random.Random(seed)
    healed = []
    async with recording(world.urls, world.token, PLAN) as load:
        for _ in range(times):
            await load.more_acknowledged(BETWEEN)
            await fault(world, load, rng)
            healed.append(await load.healed(HEALED_SECONDS))
            on_healed(healed[-1])
        await load.more_acknowledged(BETWEEN)
    history = await with_truth(load.history, world.settings)
    violations = check(history, world.settings.rate_limit)
    proof = world.verify()
    if proof.returncode != 0:
        violations.append(f"verify: exit code {proof.returncode}: {proof.stdout}{proof.stderr}")
    return Verdict(healed, sum(1 for _ in history.acknowledged()), len(history.frames), violations)
