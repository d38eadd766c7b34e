"""Breaks a world repeatedly under load. Reports the time of each recovery, and violations in the history."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from chaos.faults import Fault
from chaos.world import World
from tests.history.checker import check
from tests.history.clients import Plan
from tests.history.recording import recording
from tests.history.store_ledger import with_ledger

HEALED_SECONDS = 10.0
"""The time limit for a recovery without intervention, on a machine that is not busy otherwise."""

BETWEEN = 60
"""Acknowledged submissions between two faults."""

PLAN = Plan(users=40, rate=150.0, timeout_seconds=3.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of an ordeal. It passed if `violations` is empty."""

    healed_seconds: Sequence[float]
    acknowledged: int
    frames: int
    violations: Sequence[str]


async def ordeal(
    world: World,
    faults: Iterable[Fault],
    *,
    seed: int = 1,
    healed_seconds: float = HEALED_SECONDS,
    on_healed: Callable[[float], None] = lambda _: None,
) -> Verdict:
    """Break a new world by one fault after the other. Raises TimeoutError if it does not recover."""
    rng = random.Random(seed)
    healed = []
    async with recording(world.urls, world.token, PLAN) as load:
        for fault in faults:
            await load.more_acknowledged(BETWEEN)
            try:
                await fault(world, load, rng)
                healed.append(await load.healed(healed_seconds))
            except TimeoutError as error:
                error.add_note(f"at the fault {fault.__name__}")
                raise
            on_healed(healed[-1])
        await load.more_acknowledged(BETWEEN)
    history = await with_ledger(load.history, world.settings)
    violations = check(history, world.settings.rate_limit)
    proof = world.verify()
    if proof.returncode != 0:
        violations.append(f"verify: exit code {proof.returncode}: {proof.stdout}{proof.stderr}")
    return Verdict(healed, sum(1 for _ in history.acknowledged()), len(history.frames), violations)
