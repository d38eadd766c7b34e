"""Parsing and formatting of hosts and ports. An IPv6 address before a port has brackets."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scoreboard.cli.server_url import ServerUrl, server_url
from scoreboard.domain.errors import StartError
from scoreboard.metrics import Metrics
from scoreboard.server.listen_socket import bind, url_of
from scoreboard.server.metrics_port import serve_metrics
from tests.clocks import HeldClock

HEALTHCHECK = Path(__file__).parents[2] / "deploy" / "healthcheck.py"


@pytest.mark.parametrize(
    ("url", "server", "authority"),
    [
        ("http://127.0.0.1:8000", ServerUrl(False, "127.0.0.1", 8000, ""), "127.0.0.1:8000"),
        ("https://scores.example/", ServerUrl(True, "scores.example", 443, ""), "scores.example:443"),
        (
            "http://example.org/some/scores/",
            ServerUrl(False, "example.org", 80, "/some/scores"),
            "example.org:80",
        ),
        ("http://[::1]:8000/scores", ServerUrl(False, "::1", 8000, "/scores"), "[::1]:8000"),
        (
            "http://bücher.example/a b",
            ServerUrl(False, "xn--bcher-kva.example", 80, "/a%20b"),
            "xn--bcher-kva.example:80",
        ),
    ],
)
def test_the_address_of_a_server_is_parsed(url: str, server: ServerUrl, authority: str) -> None:
    assert server_url(url) == server
    assert server.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "localhost:8000",
            "ftp://localhost",
            "http://",
            "http://a b",
            "http://localhost:99999",
            "http://localhost:0",
        ),
        *("http://[::1", "http://::1:8000", "http://me:secret@localhost", f"http://{'x' * 70}.example"),
        *("http://localhost/?board=side", "http://localhost/#x"),
    ],
)
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(StartError, match=r"is not the address of a scoreboard|is more than an address"):
        server_url(url)


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")],
)
def test_a_server_prints_a_url_that_a_browser_can_open(host: str, url: str) -> None:
    with bind(host, 0) as listening:
        port = listening.getsockname()[1]
        assert url_of(listening) == f"http://{url}:{port}"
        with socket.create_connection((url.strip("[]"), port)):
            pass


def test_errors_of_a_port_in_use_have_brackets() -> None:
    with bind("::1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(StartError, match=rf"^\[::1\]:{port} is in use"):
            bind("::1", port)
        metrics = serve_metrics(Metrics(HeldClock()).registry, "::1", port)
        with (
            pytest.raises(StartError, match=rf"^\[::1\]:{port} is in use: .* SCOREBOARD_METRICS_PORT"),
            metrics,
        ):
            pass
    with pytest.raises(StartError, match=r"^\[2001:db8::1\]:1234 cannot be used"):
        bind("2001:db8::1", 1234)


def test_errors_of_the_healthcheck_have_brackets() -> None:
    with bind("::1", 0) as listening:
        port = listening.getsockname()[1]
    asked = {**os.environ, "SCOREBOARD_HOST": "::", "SCOREBOARD_PORT": str(port)}
    done = subprocess.run(
        [sys.executable, HEALTHCHECK], env=asked, capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith(f"no answer at [::1]:{port}: ")
