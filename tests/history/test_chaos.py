"""A few runs of each fault: no acknowledged score is lost or doubled, and every frame is correct."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from chaos.faults import CLOCK_FAULTS, CLUSTER_FAULTS, FAULTS
from chaos.ordeal import BETWEEN, PLAN, ordeal
from chaos.world import World
from tests.history.checker import check
from tests.history.recording import Load, recording
from tests.history.store_ledger import with_ledger


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def clustered() -> Iterator[World]:
    with World(instances=3, is_cluster=True) as world:
        yield world


@pytest.fixture
def clocked() -> Iterator[World]:
    with World(has_clock=True) as world:
        yield world


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_promise_is_kept(fault: str, world: World) -> None:
    verdict = await ordeal(world, FAULTS[fault], times=2)
    assert verdict.violations == []
    assert verdict.acknowledged > 2 * BETWEEN
    assert verdict.frames > 0


@pytest.mark.parametrize("fault", CLOCK_FAULTS)
async def test_every_promise_is_kept_though_the_clock_is_wrong(fault: str, clocked: World) -> None:
    verdict = await ordeal(clocked, CLOCK_FAULTS[fault], times=2)
    told = clocked.verify().stdout
    assert verdict.violations == []
    assert verdict.acknowledged > 2 * BETWEEN
    assert "written while the clock ran ahead" in told


async def test_three_instances_on_a_cluster_are_one(clustered: World) -> None:
    async with recording(clustered.urls, clustered.token, PLAN) as load:
        await load.healed(10.0)
        await load.more_acknowledged(5 * BETWEEN)
        # The check also holds while the load runs.
        assert (await asyncio.to_thread(clustered.verify)).returncode == 0
    history = await with_ledger(load.history, clustered.settings)
    assert check(history, clustered.settings.rate_limit) == []
    assert clustered.verify().returncode == 0


async def test_every_promise_is_kept_on_a_cluster(clustered: World) -> None:
    faults = iter(CLUSTER_FAULTS.values())

    async def next_fault(world: World, load: Load, rng: random.Random) -> None:
        await next(faults)(world, load, rng)

    # One world after the other, because a cluster takes long to start.
    verdict = await ordeal(clustered, next_fault, times=len(CLUSTER_FAULTS))
    assert verdict.violations == []
    assert verdict.acknowledged > 2 * BETWEEN
    assert verdict.frames > 0
