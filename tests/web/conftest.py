"""Fixtures of the tests of the web interface."""

import asyncio
from collections.abc import Iterator

import pytest
import uvloop

from tests.clocks import HeldClock
from tests.harness import UNLIMITED, LoopFactory, Running, running
from tests.web.signing import ALGORITHMS, key, pem


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that the tests of a module share, because none depends on the scores of another."""
    with running(tmp_path_factory.mktemp("server"), HeldClock(), rate_limit=UNLIMITED) as server:
        yield server


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that accepts its own secret and three public keys."""
    folder, paths = tmp_path_factory.mktemp("trusting"), []
    for algorithm in ALGORITHMS:
        (folder / f"{algorithm}.pem").write_bytes(pem(key(algorithm)))
        paths.append(str(folder / f"{algorithm}.pem"))
    with running(folder, jwt_public_keys=",".join(paths), rate_limit=UNLIMITED) as server:
        yield server


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> LoopFactory:
    factory: LoopFactory = request.param
    return factory
