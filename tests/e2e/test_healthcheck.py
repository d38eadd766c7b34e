"""The health check program of the image."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.harness import running
from tests.servers.process import free_port

PROGRAM = Path(__file__).parents[2] / "deploy/healthcheck.py"


def asked(**settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-IS", str(PROGRAM)]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("listens", ["0.0.0.0", "127.0.0.1", "::1", "::"])
def test_a_live_server_is_healthy_on_any_address(tmp_path: Path, listens: str) -> None:
    with running(tmp_path, host=listens) as scoreboard:
        port = str(urlsplit(scoreboard.url).port)
        done = asked(SCOREBOARD_HOST=listens, SCOREBOARD_PORT=port)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_live_server_with_tls_is_healthy(tmp_path: Path, certificate: dict[str, Any]) -> None:
    with running(tmp_path, **certificate) as scoreboard:
        port = str(urlsplit(scoreboard.url).port)
        assert asked(SCOREBOARD_PORT=port, SCOREBOARD_TLS_CERTIFICATE="any").returncode == 0
        assert asked(SCOREBOARD_PORT=port).returncode == 1


def test_a_missing_server_is_unhealthy() -> None:
    port = free_port()
    done = asked(SCOREBOARD_PORT=str(port))
    assert done.returncode == 1
    assert f"no answer at 127.0.0.1:{port}" in done.stderr
