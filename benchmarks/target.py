"""The server under load: `scoreboard serve` in its own process, on a free port, in a temporary folder."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from benchmarks.machine import resident_bytes
from scoreboard.clock import SystemClock
from scoreboard.domain.submissions import Caller
from scoreboard.web.auth.key_sources import Keys, secrets
from scoreboard.web.auth.tokens import Tokens
from tests.servers.process import free_port

SECRET = "a secret of the load test, never used elsewhere"
START_SECONDS = 60.0
SERVE = (sys.executable, "-m", "scoreboard", "serve")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a scoreboard command: these settings, and none of the caller's environment."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SCOREBOARD_")}
    return {**outside, "SCOREBOARD_JWT_SECRET": SECRET, **settings}


class Target:
    """A server on a SQLite file of its own, unless the settings name another database."""

    def __init__(
        self,
        rate_limit: str = "1000000/minute",
        database: Path | None = None,
        command: Sequence[str] = SERVE,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._folder = tempfile.TemporaryDirectory(prefix="scoreboard-load-")
        self.database = database or Path(self._folder.name) / "scoreboard.db"
        self.host = "127.0.0.1"
        self.port = free_port()
        self.tokens = Tokens(Keys(secrets(SECRET.encode())), SystemClock())
        self._environment = environment(
            {
                "SCOREBOARD_DATABASE_URL": f"sqlite:///{self.database}",
                "SCOREBOARD_RATE_LIMIT": rate_limit,
                "SCOREBOARD_PORT": str(self.port),
                **(settings or {}),
            }
        )

    def __enter__(self) -> Self:
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            self._command, env=self._environment, cwd=self._folder.name, stderr=subprocess.DEVNULL
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._folder.cleanup()

    def _wait_until_ready(self) -> None:
        while not self.answers("/health/ready"):
            if self.process.poll() is not None:
                raise RuntimeError(f"the server exited with code {self.process.returncode}")
            if time.perf_counter() - self.started_at > START_SECONDS:
                raise TimeoutError(f"the server did not respond within {START_SECONDS:.0f} s")
            time.sleep(0.02)

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}{path}", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def resident_bytes(self) -> int:
        return resident_bytes(self.process.pid)

    def post(self, user_id: str, name: str | None = None) -> bytes:
        """Return the bytes of a request that submits a score."""
        body = f'{{"actionId":"complete-quest","userId":"{user_id}"}}'
        token = self.tokens.sign(Caller(user_id, name or user_id.title()), 86_400)
        return (
            f"POST /api/scores HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def get(self, path: str) -> bytes:
        """Return the bytes of a GET request."""
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode()
