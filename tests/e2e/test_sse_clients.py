"""Clients that others use follow a stream: each event that they report is a board, and they come back after
its end.

docs/clients.md lists them. Those from npm are installed by `make sse-clients`.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scoreboard.fanout import hub, ring
from tests.clocks import HeldClock
from tests.e2e.processes import Process
from tests.e2e.sse_clients.clients import CLIENTS
from tests.harness import running
from tests.programs import go_without
from tests.servers.process import until

FOLDER = Path(__file__).with_name("sse_clients")
PACKAGES = json.loads((FOLDER / "package.json").read_text())["dependencies"]

HEARTBEATS = 3


def command(registry: str, name: str) -> Sequence[str]:
    if registry == "PyPI":
        return (sys.executable, str(FOLDER / "clients.py"), name)
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / name).is_dir():
        go_without(
            "The clients from npm need Node.js and npm: on Debian, apt-get install nodejs npm; then make "
            "sse-clients."
        )
    return (node, str(FOLDER / "clients.mjs"), name)


@pytest.mark.parametrize(
    ("registry", "name"),
    [*(("PyPI", name) for name in CLIENTS), *(("npm", name) for name in PACKAGES)],
    ids=lambda value: value,
)
def test_a_client_reports_boards_alone_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: str, name: str
) -> None:
    monkeypatch.setattr(ring, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(hub, "RETRY_MS", (20, 60))
    with running(tmp_path, HeldClock()) as server:
        server.score("ada")
        streams = server.scoreboard.hub
        has_room, streams.max_streams = streams.max_streams, 0
        client = Process([*command(registry, name), f"{server.url}/api/leaderboard/stream"], tmp_path, {})
        try:
            # The first streams are refused, and say when to come back.
            until(lambda: streams.counts.refused > 0, "a stream was refused")
            streams.max_streams = has_room
            assert client.line_with("") == "1\n"
            seen = streams.counts.heartbeats
            until(lambda: streams.counts.heartbeats >= seen + HEARTBEATS, "heartbeats were sent")
            server.score("bob")
            assert client.line_with("") == "2\n"
        finally:
            client.clean_up()
        assert client.output == "1\n2\n"
