"""Unit tests start no server of PostgreSQL or Redis. Tests that do are in `tests/drivers`."""

import pytest


@pytest.fixture(scope="session")
def postgres() -> None:
    pytest.fail("A unit test uses no server: move it to tests/drivers.")


@pytest.fixture(scope="session")
def redis_server() -> None:
    pytest.fail("A unit test uses no server: move it to tests/drivers.")


@pytest.fixture(scope="session")
def redis_cluster() -> None:
    pytest.fail("A unit test uses no server: move it to tests/drivers.")
