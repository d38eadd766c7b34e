"""What many tests start from."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running

pytest_plugins = ("tests.servers.fixtures",)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the settings that it gives."""
    for name in os.environ:
        if name.startswith("SCOREBOARD_"):
            monkeypatch.delenv(name)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=["embedded", "distributed"])
def deployment(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings that make the one or the other: a client can tell no difference."""
    if request.param == "embedded":
        return {}
    return {
        "database_url": request.getfixturevalue("migrated_url"),
        "redis_url": request.getfixturevalue("redis_url"),
        "redis_prefix": request.getfixturevalue("redis_prefix"),
    }


@pytest.fixture
def scoreboard(tmp_path: Path, clock: HeldClock, deployment: dict[str, Any]) -> Iterator[Running]:
    """A running server with the tests' catalog and the default limit, 10 a minute."""
    with running(tmp_path, clock, **deployment) as server:
        yield server
