"""Fixtures of the tests of streams."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Running
from tests.web.streams.transports import TRANSPORTS, Transport, served


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def scoreboard(transport: Transport, tmp_path: Path, certificate: dict[str, Path]) -> Iterator[Running]:
    with served(transport, tmp_path, certificate) as server:
        yield server
