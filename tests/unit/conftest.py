"""Unit tests start no server of PostgreSQL or Redis. Tests that do are in `tests/drivers`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoreboard.store.sqlite.store import SqliteStore
from tests.clocks import HeldClock
from tests.service import Service, opened
from tests.stores import migrated_file, open_sqlite


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The working directory, which has no `.env` if the test creates none."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A migrated SQLite file."""
    return migrated_file(tmp_path / "scoreboard.db")


@pytest.fixture
async def store(path: Path, clock: HeldClock) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(path, clock) as store:
        yield store


@pytest.fixture
async def service(path: Path) -> AsyncIterator[Service]:
    """The services of a process on the file."""
    async with opened(path) as service:
        yield service


@pytest.fixture
async def filled(service: Service) -> Service:
    """The services, with a filled ranking and one score of ada."""
    await service.applier.heal("main")
    await service.score("ada")
    return service


@pytest.fixture(scope="session")
def postgres() -> None:
    pytest.fail("A unit test uses no server: move it to tests/drivers.")


@pytest.fixture(scope="session")
def redis_server() -> None:
    pytest.fail("A unit test uses no server: move it to tests/drivers.")


@pytest.fixture(scope="session")
def redis_cluster() -> None:
    pytest.fail("A unit test uses no server: move it to tests/drivers.")
