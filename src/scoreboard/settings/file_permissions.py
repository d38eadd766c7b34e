"""Permissions of files that decide what the server does."""

import stat
from pathlib import Path

from scoreboard.domain.errors import StartError


def check_writers(path: Path, role: str, mode: str = "o-w") -> None:
    """Raise StartError if every user of the machine can change a file.

    `role` and the right `mode` are for the message. Other kinds of files, and unreachable ones, are no
    error: opening them fails with a clear one.
    """
    try:
        found = path.stat().st_mode
    except OSError:
        return
    if stat.S_ISREG(found) and found & stat.S_IWOTH:
        raise StartError(f"Every user of this machine can write to {role} {path}: run “chmod {mode} {path}”.")
