"""deploy/nginx.conf in a real nginx, with the addresses of instances instead of Docker's host names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.clocks import HeldClock
from tests.e2e.processes import Client
from tests.harness import Running, Watcher, running
from tests.programs import find_program, running_proxy
from tests.servers.process import free_port

CONFIGURATION = (Path(__file__).parents[2] / "deploy/nginx.conf").read_text()


@contextmanager
def nginx(folder: Path, *instances: str) -> Iterator[str]:
    """Run nginx and return its URL. The instances replace instance-1 and instance-2."""
    program = find_program("nginx", "nginx-light")
    port = free_port()
    text = CONFIGURATION.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{folder}/")
    for number, url in enumerate(instances, 1):
        # (Repeated name resolution needs nginx 1.27.3; addresses need none.)
        text, times = re.subn(rf"instance-{number}:8000 resolve", urlsplit(url).netloc, text)
        assert times == 1
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(text)
    url = f"http://127.0.0.1:{port}"
    options = ("-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", "daemon off;")
    with running_proxy(program, *options, url=f"{url}/metrics"):
        yield url


@pytest.fixture
def scoreboard(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), rate_limit="1000/minute", admin_on_public_port=True) as scoreboard:
        yield scoreboard


def test_each_event_arrives_at_once(tmp_path: Path, scoreboard: Running) -> None:
    with (
        nginx(tmp_path, scoreboard.url, scoreboard.url) as url,
        httpx2.stream("GET", f"{url}/api/leaderboard/stream", timeout=5) as response,
    ):
        watcher = Watcher(response)
        assert watcher.frame()["version"] == 0
        for version in range(1, 6):
            scoreboard.score("ada" if version % 2 else "bob")
            assert watcher.frame()["version"] == version


def test_the_proxy_does_not_expose_administration_or_metrics(tmp_path: Path, scoreboard: Running) -> None:
    assert scoreboard.client.get("/admin").status_code == 200
    with nginx(tmp_path, scoreboard.url, scoreboard.url) as url, Client(url) as client:
        assert client.get("/api/leaderboard").status_code == 200
        for path in (
            "/admin",
            "/admin/",
            "/%61dmin",
            "//admin",
            "/api/../admin",
            "/api/admin/audit",
            "/metrics",
        ):
            assert client.get(f"{url}{path}").status_code == 404, path


def test_a_stopped_instance_fails_no_request(tmp_path: Path, scoreboard: Running) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    with nginx(tmp_path, gone, scoreboard.url) as url, Client(url) as client:
        assert {client.get("/api/leaderboard").status_code for _ in range(20)} == {200}
        token = scoreboard.token("ada")
        assert [client.score("ada", by=token).status_code for _ in range(20)] == [201] * 20
