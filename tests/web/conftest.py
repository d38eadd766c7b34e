"""Fixtures of the tests of the web interface."""

import asyncio
from collections.abc import Iterator

import pytest
import uvloop

from tests.clocks import HeldClock
from tests.harness import LoopFactory, Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that the tests of a module share, because none depends on the scores of another."""
    with running(tmp_path_factory.mktemp("server"), HeldClock(), rate_limit="1000000/second") as server:
        yield server


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> LoopFactory:
    factory: LoopFactory = request.param
    return factory
