"""The server under load: `scoreboard serve` in a process of its own."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.catalogs import ACTION
from benchmarks.machine import resident_bytes
from benchmarks.options import CannotMeasure
from scoreboard.clock import SystemClock
from scoreboard.domain.submissions import Caller
from scoreboard.web.auth.key_sources import Keys, secrets
from scoreboard.web.auth.tokens import Tokens
from tests.e2e.instance import Instance

SECRET = "a secret of the load test, never used elsewhere"
COMMAND = (sys.executable, "-m", "scoreboard")
DEFAULTS = {"SCOREBOARD_JWT_SECRET": SECRET, "SCOREBOARD_RATE_LIMIT": "1000000/minute"}


def programs(against: Path | None) -> dict[str, Sequence[str]]:
    """Return the commands of this checkout and of another one, if there is one. Raises CannotMeasure."""
    if against is None:
        return {"this": COMMAND}
    python = against.absolute() / ".venv/bin/python"
    if not python.exists():
        raise CannotMeasure(f"{python} does not exist: run “make install” in that checkout")
    return {"this": COMMAND, "other": (str(python), *COMMAND[1:])}


class Target(Instance):
    """An instance without a rate limit, on a SQLite file in its folder, unless the settings say otherwise."""

    host = "127.0.0.1"

    def __init__(self, settings: Mapping[str, str] | None = None, command: Sequence[str] = COMMAND) -> None:
        super().__init__({**DEFAULTS, **(settings or {})}, command)
        self.tokens = Tokens(Keys(secrets(SECRET.encode())), SystemClock())

    def start(self) -> None:
        self.started_at = time.perf_counter()
        super().start()

    def resident_bytes(self) -> int:
        return resident_bytes(self.pid)

    def post(self, user_id: str, name: str | None = None, action: str = ACTION) -> bytes:
        """Return the bytes of a request that submits a score."""
        body = f'{{"actionId":"{action}","userId":"{user_id}"}}'
        token = self.tokens.sign(Caller(user_id, name or user_id.title()), 86_400)
        return (
            f"POST /api/scores HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def get(self, path: str) -> bytes:
        """Return the bytes of a GET request."""
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode()
