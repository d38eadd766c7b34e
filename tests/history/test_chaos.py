"""A few runs of each fault: no acknowledged score is lost or doubled, and every frame is correct."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from chaos.faults import CLOCK_FAULTS, CLUSTER_FAULTS, FAULTS, Fault
from chaos.ordeal import BETWEEN, PLAN, Verdict, ordeal
from chaos.world import World
from tests.history.checker import check
from tests.history.recording import recording
from tests.history.store_ledger import with_ledger
from tests.limits import LIMIT_SECONDS

TIMES = 2
"""How often each fault happens."""

PARTNERS = ("postgres", "redis")
PARTS = {
    **{part: [fault for name, fault in FAULTS.items() if name.startswith(part)] for part in PARTNERS},
    "instances and clients": [fault for name, fault in FAULTS.items() if not name.startswith(PARTNERS)],
}
"""The faults by what they break. Those of a part share a world, because its start takes as long."""


@contextmanager
def showing_logs(world: World) -> Iterator[World]:
    """Run a world, and print its logs. pytest shows them if the test fails."""
    with world:
        yield world
        world.print_logs()


@pytest.fixture
def world() -> Iterator[World]:
    with showing_logs(World()) as world:
        yield world


@pytest.fixture
def clustered() -> Iterator[World]:
    with showing_logs(World(instances=3, is_cluster=True)) as world:
        yield world


@pytest.fixture
def clocked() -> Iterator[World]:
    with showing_logs(World(has_clock=True)) as world:
        yield world


def kept(verdict: Verdict, faults: int) -> bool:
    """Return True if there was enough load between the faults, and no violation."""
    assert verdict.violations == []
    return verdict.acknowledged > faults * BETWEEN and verdict.frames > 0


async def suffered(world: World, faults: Iterable[Fault]) -> Verdict:
    """Run an ordeal. `make chaos` checks how long a recovery takes."""
    return await ordeal(world, faults, healed_seconds=LIMIT_SECONDS)


@pytest.mark.parametrize("faults", PARTS.values(), ids=PARTS)
async def test_every_promise_is_kept(faults: Sequence[Fault], world: World) -> None:
    assert kept(await suffered(world, [*faults] * TIMES), TIMES * len(faults))


@pytest.mark.parametrize("fault", CLOCK_FAULTS)
async def test_every_promise_is_kept_though_the_clock_is_wrong(fault: str, clocked: World) -> None:
    assert kept(await suffered(clocked, [CLOCK_FAULTS[fault]] * TIMES), TIMES)
    told = clocked.verify().stdout
    assert "written while the clock ran ahead" in told


async def test_three_instances_on_a_cluster_are_one(clustered: World) -> None:
    async with recording(clustered.urls, clustered.token, PLAN) as load:
        await load.healed(LIMIT_SECONDS)
        await load.more_acknowledged(5 * BETWEEN)
        # The check also holds while the load runs.
        assert (await asyncio.to_thread(clustered.verify)).returncode == 0
    history = await with_ledger(load.history, clustered.settings)
    assert check(history, clustered.settings.rate_limit) == []
    assert clustered.verify().returncode == 0


async def test_every_promise_is_kept_on_a_cluster(clustered: World) -> None:
    assert kept(await suffered(clustered, CLUSTER_FAULTS.values()), len(CLUSTER_FAULTS))
