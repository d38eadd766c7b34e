"""Run programs in parallel, and leave none behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import IO, Self

SHOWN_LINES = 60
"""The end of a failed program's output, where Terraform prints its errors."""


class ProgramFailed(Exception):
    """Raised when a program exits with an error. The text is the end of its output."""


class Programs:
    """Runs programs and steps, from several threads. On exit, kills the programs that still run."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._is_closed = False
        self._started_at = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def seconds(self) -> float:
        return monotonic() - self._started_at

    def run(self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> str:
        """Run a program and return its output. Raises ProgramFailed."""
        process = self.start(command, folder, environment, subprocess.STDOUT)
        output, _ = process.communicate()
        with self._lock:
            self._running.discard(process)
        if process.returncode:
            tail = "\n".join(output.strip().splitlines()[-SHOWN_LINES:])
            raise ProgramFailed(f"{' '.join(map(str, command))} exited with {process.returncode}:\n{tail}")
        return output

    def start(
        self,
        command: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        errors: int | IO[str],
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self._is_closed:
                raise ProgramFailed(f"{command[0]} was not started, because the run is over")
            # In a session of its own, so that Ctrl-C reaches only this process, which then ends the others.
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
        """Kill a program and its process group, which contains Terraform's providers."""
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
            self._is_closed = True
            running = list(self._running)
        for process in running:
            self.end(process)

    def step(self, name: str, work: Callable[[], str | None]) -> None:
        """Do some work and report its start and end, with a text if it returns one. Raises ProgramFailed."""
        begin = monotonic()
        self._print(f"… {name}")
        try:
            result = work()
        except ProgramFailed as failed:
            if not self._is_closed:  # otherwise another step has failed before, or Ctrl-C was pressed
                self._print(f"failed {name}\n{failed}")
            raise
        self._print(f"ok {name}: {monotonic() - begin:.1f} s{f' ({result})' if result else ''}")

    def _print(self, text: str) -> None:
        with self._lock:
            print(f"{self.seconds:6.1f} s {text}", file=sys.stderr, flush=True)
