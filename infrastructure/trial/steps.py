"""Tells of each step when it begins, and when it has ended: with what, and how long it took."""

import sys
from collections.abc import Callable
from threading import Lock
from time import monotonic

from infrastructure.trial.programs import ProgramFailed, Programs


class Steps:
    """Steps may run beside each other, in threads."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._lock = Lock()
        self._begin = monotonic()
        self.failed: list[str] = []

    @property
    def seconds(self) -> float:
        return monotonic() - self._begin

    def take(self, name: str, step: Callable[[], str | None]) -> None:
        """Take one; it may return what is worth telling. Raises ProgramFailed."""
        begin = monotonic()
        self._tell(f"{self.seconds:6.1f} s    … {name}")
        try:
            result = step()
        except ProgramFailed as failed:
            if not self._programs.is_closed:  # else it was ended because another one has failed, or by Ctrl-C
                self.failed.append(name)
                self._tell(f"{self.seconds:6.1f} s failed {name}\n{failed}")
            raise
        told = f" ({result})" if result else ""
        self._tell(f"{self.seconds:6.1f} s    ok {name}: {monotonic() - begin:.1f} s{told}")

    def _tell(self, line: str) -> None:
        with self._lock:
            print(line, file=sys.stderr, flush=True)
