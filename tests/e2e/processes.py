"""Runs the real command in separate processes, and ends them by their process ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import httpx2

from tests.harness import CATALOG, SECRET
from tests.limits import LIMIT_SECONDS
from tests.servers.process import free_port

COMMAND = (sys.executable, "-m", "scoreboard")

ON_ASYNCIO = (
    sys.executable,
    "-c",
    "import asyncio\nfrom scoreboard import cli, server\nserver.run = lambda main: asyncio.run(main())\ncli.main()",
)
"""The same program on the event loop of asyncio instead of uvloop."""


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a scoreboard that keeps all its files in a folder."""
    catalog = folder / "catalog.toml"
    if not catalog.exists():
        catalog.write_text(CATALOG)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCOREBOARD_")},
        "SCOREBOARD_CATALOG": str(catalog),
        "SCOREBOARD_JWT_SECRET": SECRET,
        **settings,
    }


def scoreboard(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


class Process:
    """A running command and its output."""

    def __init__(self, command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder, **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: SimpleQueue[str | None] = SimpleQueue()
        self.output = ""
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            self.lines.put(line)
        self.lines.put(None)

    def line_with(self, text: str) -> str:
        """Wait for a line that contains a text, and return it."""
        try:
            while (line := self.lines.get(timeout=LIMIT_SECONDS)) is not None:
                if text in line:
                    return line
        except Empty:
            pass
        raise AssertionError(f"no line with {text!r} in:\n{self.output}")

    def end(self, by: signal.Signals) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(LIMIT_SECONDS)
        self._reader.join(LIMIT_SECONDS)
        return code

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def serving(
    folder: Path, *arguments: str, command: Sequence[str] = COMMAND, **settings: str
) -> Iterator[tuple[Process, httpx2.Client]]:
    """Run `scoreboard serve` (or other arguments) during the block. It begins when the server answers."""
    port = int(settings.get("SCOREBOARD_PORT") or free_port())
    process = Process(
        [*command, *(arguments or ("serve",))], folder, {**settings, "SCOREBOARD_PORT": str(port)}
    )
    try:
        process.line_with(f"http://127.0.0.1:{port}")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT_SECONDS) as client:
            yield process, client
    finally:
        process.clean_up()


def score(
    client: httpx2.Client, token: str, user_id: str, action_id: str = "quest", **headers: Any
) -> httpx2.Response:
    return client.post(
        "/api/scores",
        json={"actionId": action_id, "userId": user_id},
        headers={"Authorization": f"Bearer {token}", **headers},
    )
