"""What many tests start from."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import HeldClock
from tests.harness import Running, running


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the settings that it gives."""
    for name in os.environ:
        if name.startswith("SCOREBOARD_"):
            monkeypatch.delenv(name)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def scoreboard(tmp_path: Path, clock: HeldClock) -> Iterator[Running]:
    """A running server with the tests' catalog and the default limit, 10 a minute."""
    with running(tmp_path, clock) as server:
        yield server
