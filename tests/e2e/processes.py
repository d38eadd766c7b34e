"""The real command: run to its end in this process, or left running in one of its own."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread, current_thread, main_thread
from typing import Any, NoReturn
from unittest.mock import patch

import httpx2
import structlog

from scoreboard import cli
from scoreboard.clock import SystemClock
from scoreboard.domain.submissions import Caller
from scoreboard.web.auth.key_sources import Keys, secrets
from scoreboard.web.auth.tokens import Tokens
from tests.harness import CATALOG, SECRET
from tests.limits import LIMIT_SECONDS
from tests.servers.process import free_port, outside_environment
from tests.stores import migrated_file

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts a background job with SIGINT ignored, and the commands would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

COMMAND = (sys.executable, "-m", "scoreboard")

ON_ASYNCIO = (
    sys.executable,
    "-c",
    "import asyncio\nfrom scoreboard import cli, server\nserver.run = asyncio.run\ncli.main()",
)
"""The same program on the event loop of asyncio instead of uvloop."""


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a scoreboard that keeps all its files in a folder."""
    catalog = folder / "catalog.toml"
    if not catalog.exists():
        catalog.write_text(CATALOG)
    return {
        **outside_environment(),
        "SCOREBOARD_CATALOG": str(catalog),
        "SCOREBOARD_JWT_SECRET": SECRET,
        **settings,
    }


def variables(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables of settings."""
    return {f"SCOREBOARD_{name.upper()}": str(value) for name, value in settings.items()}


def scoreboard(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in the process of the tests, because a new one takes seconds to start."""
    if current_thread() is not main_thread() or _has_event_loop():
        return _in_a_process(folder, *arguments, **settings)
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)
    }
    # An alarm interrupts a command that does not end.
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS)
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        try:
            with (
                patch.dict(os.environ, environment(folder, **settings), clear=True),
                patch.object(sys, "argv", ["scoreboard", *arguments]),
                patch.object(sys, "stdin", io.StringIO()),
                chdir(folder),
                redirect_stdout(output),
                redirect_stderr(errors),
            ):
                code = _exit_code()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            structlog.reset_defaults()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())


def _has_event_loop() -> bool:
    """Return True in tests of browsers: Playwright's loop runs in the thread of the test."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_a_process(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


def _too_long(*_: object) -> NoReturn:
    raise TimeoutError(f"the command took longer than {LIMIT_SECONDS} s")


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


def token(user_id: str, name: str | None = None, *scopes: str) -> str:
    """Return a token that the servers of these tests accept."""
    signer = Tokens(Keys(secrets(SECRET.encode())), SystemClock())
    return signer.sign(Caller(user_id, name, frozenset(scopes)), 3_600)


class Client(httpx2.Client):
    """A client of a server without TLS, with the requests that tests make most."""

    def __init__(self, base_url: str, timeout: float = LIMIT_SECONDS) -> None:
        super().__init__(base_url=base_url, timeout=timeout, verify=False)

    def score(
        self, user_id: str, action_id: str = "quest", *, key: str | None = None, by: str | None = None
    ) -> httpx2.Response:
        """Submit a score, with an idempotency key if there is one, and with the user's token or with `by`."""
        headers = {"Authorization": f"Bearer {by or token(user_id)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.post("/api/scores", json={"actionId": action_id, "userId": user_id}, headers=headers)

    def shown(self, field: str = "userId") -> list[Any]:
        """Return a field of each row of the board."""
        return [entry[field] for entry in self.get("/api/leaderboard").json()["entries"]]


@contextmanager
def serving(
    folder: Path, *arguments: str, command: Sequence[str] = COMMAND, **settings: str
) -> Iterator[tuple[Process, Client]]:
    """Run `scoreboard serve` (or other arguments) during the block. It begins when the server answers."""
    port = int(settings.get("SCOREBOARD_PORT") or free_port())
    database = folder / "scoreboard.db"
    if not database.exists() and "SCOREBOARD_DATABASE_URL" not in settings:
        # A migration takes as long as half a start. (The tests of the recipes let the server make its file.)
        migrated_file(database)
    process = Process(
        [*command, *(arguments or ("serve",))], folder, {**settings, "SCOREBOARD_PORT": str(port)}
    )
    try:
        process.line_with(f"http://127.0.0.1:{port}")
        with Client(f"http://127.0.0.1:{port}") as client:
            yield process, client
    finally:
        process.clean_up()
