"""An instance of the program, for runs that break it or measure it. It restarts on the same port."""

import signal
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.processes import COMMAND
from tests.servers.process import Server

ANSWER_SECONDS = 5.0


class Instance(Server):
    """A running `scoreboard serve`, with these settings and a folder of its own."""

    NAME = "Scoreboard"
    STOPS_BY = signal.SIGTERM
    ENDS_BY = signal.SIGKILL

    def __init__(self, settings: Mapping[str, str], command: Sequence[str] = COMMAND) -> None:
        super().__init__(settings)
        self._command = command

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str | Path]:
        return [*self._command, "serve", "--port", str(self.port)]

    def answers(self) -> bool:
        """Return True if it is ready: it serves, and is not stopping."""
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=ANSWER_SECONDS):
                return True
        except OSError:
            return False
