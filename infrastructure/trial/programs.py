"""The programs that a run starts. None is left when it ends, in whichever way."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Self

SHOWN_LINES = 60
"""Of what a program wrote before it failed: Terraform's errors stand at the end."""


class ProgramFailed(Exception):
    """Raised when a program ends with a code that it should not; tells what it wrote at last."""


class Programs:
    """Runs programs, from several threads too; those that still run at its end are killed with all their children."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self.is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        command: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        passes: Sequence[int] = (0,),
    ) -> str:
        """Run to the end, and return what it wrote. Raises ProgramFailed."""
        process = self.start(command, folder, environment, subprocess.STDOUT)
        written, _ = process.communicate()
        with self._lock:
            self._running.discard(process)
        if process.returncode not in passes:
            tail = "\n".join(written.strip().splitlines()[-SHOWN_LINES:])
            raise ProgramFailed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{tail}")
        return written

    def start(
        self,
        command: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        errors: int | IO[str],
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self.is_closed:
                raise ProgramFailed(f"{command[0]} was not started any more")
            # A session of its own: Ctrl-C comes to this program alone, which then ends the others as it wants to.
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """Kill it, and its children, such as Terraform's providers, which are in its group.

        The accounts are mocks: nothing has to be brought to an orderly end.
        """
        with self._lock:
            self._running.discard(process)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()

    def close(self) -> None:
        with self._lock:
            self.is_closed = True
            running = list(self._running)
        for process in running:
            self.end(process)
