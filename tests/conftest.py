"""Fixtures that many tests use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.clocks import HeldClock
from tests.harness import Running, running
from tests.limits import LIMIT_SECONDS
from tests.webkit.browser import is_there as webkit_is_there

pytest_plugins = ("tests.servers.fixtures",)

collect_ignore = [] if webkit_is_there() else ["webkit"]  # `make webkit` says what to install


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's settings, so that a test has only its own."""
    for name in os.environ:
        if name.startswith("SCOREBOARD_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def patient_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in the process of the tests waits for its ranking, however busy the machine is."""
    monkeypatch.setattr("scoreboard.services.answer.ANSWER_WITHOUT_RANK_SECONDS", LIMIT_SECONDS)
    monkeypatch.setattr("scoreboard.services.heal.START_SECONDS", LIMIT_SECONDS)


@pytest.fixture(autouse=True, scope="module")
def no_leaks() -> Iterator[None]:
    """Collect garbage after each module, so that an unclosed socket or file fails the module that left it
    open.

    A collection takes 0.1 s: after each test, it would take minutes.
    """
    yield
    gc.collect()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture(params=["embedded", "distributed"])
def deployment(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the settings of a deployment. Clients see no difference between the two."""
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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the settings of a server with TLS. The harness trusts its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    # The chain ends with the certificate authority, which the test's client trusts.
    (folder / "chain.pem").write_bytes(
        b"".join(part.bytes() for part in issued.cert_chain_pems) + authority.cert_pem.bytes()
    )
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return {"tls_certificate": folder / "chain.pem", "tls_key": folder / "key.pem"}
