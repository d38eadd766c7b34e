"""Behind a real haproxy with `deploy/haproxy.cfg`, each event arrives at once."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from tests.clocks import HeldClock
from tests.harness import Running, Watcher, running
from tests.limits import LIMIT_SECONDS
from tests.programs import find_program, running_proxy
from tests.servers.process import free_port

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"

HELD_BACK_SECONDS = 0.15
"""haproxy sends an event that it holds back after 0.2 s, never earlier."""


def configuration(port: int, instance: str) -> str:
    """Return the configuration file, without TLS, for one instance."""
    text = re.sub(r"bind .*", f"bind 127.0.0.1:{port}", CONFIGURATION.read_text())
    text = re.sub(r"server one .*", f"server one {urlsplit(instance).netloc}", text)
    return re.sub(r" *server two .*\n", "", text)


@contextmanager
def haproxy(folder: Path, scoreboard: Running) -> Iterator[str]:
    program = find_program("haproxy", "haproxy")
    port = free_port()
    file = folder / "haproxy.cfg"
    file.write_text(configuration(port, scoreboard.url))
    url = f"http://127.0.0.1:{port}"
    with running_proxy(program, "-q", "-db", "-f", str(file), url=f"{url}/health/live"):
        yield url


def test_an_event_is_not_held_back(tmp_path: Path) -> None:
    with (
        running(tmp_path, HeldClock(), rate_limit="100000/minute") as scoreboard,
        haproxy(tmp_path, scoreboard) as url,
        httpx2.stream("GET", f"{url}/api/leaderboard/stream", timeout=LIMIT_SECONDS) as response,
    ):
        watcher = Watcher(response)
        watcher.frame()
        limit = time.monotonic() + LIMIT_SECONDS
        seconds = float("inf")
        # A busy machine is late for some of them.
        while seconds > HELD_BACK_SECONDS:
            assert time.monotonic() < limit, "no event arrived at once"
            begun = time.monotonic()
            scoreboard.score("ada")
            watcher.frame()
            seconds = time.monotonic() - begun
