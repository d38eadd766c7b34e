"""A client that does not read delays no other, and gets the newest board when it reads again."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scoreboard.fanout import hub, ring
from tests.clocks import HeldClock
from tests.harness import LoopFactory, Running, Watcher, running
from tests.web.raw_connections import connected, received_to_the_end

SMALL = 4_096
LONG_NAME = "🎮" * 128


@pytest.fixture
def scoreboard(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, HeldClock(), send_buffer_bytes=SMALL, rate_limit="1000000/minute") as server:
        # Ten names of 512 bytes make a frame of 12 KB, more than the kernel's buffer.
        for number in range(10):
            server.score(f"user-{number}", name=LONG_NAME)
        yield server


@contextmanager
def stalled(scoreboard: Running) -> Iterator[socket.socket]:
    """Open a stream without reading it."""
    with connected(scoreboard, receive_buffer_bytes=SMALL) as client:
        client.sendall(b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: test\r\n\r\n")
        yield client


def versions(received: bytes) -> list[int]:
    """Return the versions of the complete events in a response, in order."""
    events = received.split(b"data: ")[1:]
    return [json.loads(event.split(b"\n")[0])["version"] for event in events if b"\n\n" in event]


def read_until(client: socket.socket, version: int) -> bytes:
    received = b""
    while version not in versions(received.replace(b"\r\n", b"")):
        data = client.recv(65_536)
        assert data, "the stream has ended"
        received += data
    return received


def change_until(scoreboard: Running, quick: Watcher, last: int) -> None:
    """Change the top until it has version `last`. A client that reads gets each change."""
    for version in range(quick.frame()["version"] + 1, last + 1):
        scoreboard.score(f"user-{version % 10}", name=LONG_NAME)
        while quick.frame()["version"] < version:
            pass


def test_a_slow_client_gets_the_newest_board_when_it_reads_again(scoreboard: Running) -> None:
    with stalled(scoreboard) as slow, scoreboard.watch() as quick:
        change_until(scoreboard, quick, 40)
        assert scoreboard.scoreboard.hub.counts.skipped > 0
        seen = versions(read_until(slow, 40).replace(b"\r\n", b""))
        assert seen == sorted(set(seen))
        assert seen[-1] == 40
        assert len(seen) < 20
        # From now on, it gets each change again.
        scoreboard.score("user-0", name=LONG_NAME)
        assert versions(read_until(slow, 41).replace(b"\r\n", b"")) == [41]


def test_a_client_that_resumes_reading_gets_few_old_boards_also_with_a_large_kernel_buffer(
    tmp_path: Path, loop: LoopFactory
) -> None:
    """By default, the kernel buffers megabytes for a client that has stopped reading."""
    with running(tmp_path, HeldClock(), loop_factory=loop, rate_limit="1000000/minute") as scoreboard:
        for number in range(10):
            scoreboard.score(f"user-{number}", name=LONG_NAME)
        with stalled(scoreboard) as slow, scoreboard.watch() as quick:
            change_until(scoreboard, quick, 100)
            seen = versions(read_until(slow, 100).replace(b"\r\n", b""))
    assert seen == sorted(set(seen))
    assert len(seen) < 10


def test_a_client_that_never_reads_is_disconnected(
    scoreboard: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "STALLED_SECONDS", 3)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.05)
    with stalled(scoreboard) as slow, scoreboard.watch() as quick:
        change_until(scoreboard, quick, 30)
        while scoreboard.scoreboard.hub.streams > 1:
            scoreboard.score("user-1", name=LONG_NAME)
            quick.frame()
        # The connection is aborted in the middle of the response.
        assert not received_to_the_end(slow).endswith(b"0\r\n\r\n")
        assert scoreboard.scoreboard.hub.counts.stalled == 1


def test_a_server_stops_although_a_client_does_not_read(scoreboard: Running) -> None:
    with stalled(scoreboard), scoreboard.watch() as quick:
        change_until(scoreboard, quick, 30)
        scoreboard.stop()


def test_streams_of_disconnected_clients_are_removed(scoreboard: Running) -> None:
    with scoreboard.watch() as staying:
        staying.frame()
        for _ in range(5):
            with scoreboard.watch() as leaving:
                leaving.frame()
        with stalled(scoreboard):
            pass
        while scoreboard.scoreboard.hub.streams > 1:
            scoreboard.score("user-1", name=LONG_NAME)
            staying.frame()
