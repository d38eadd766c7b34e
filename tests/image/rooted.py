"""A command with a folder for its root, as a container's: mounts and processes of its own, and no way to more rights.

It needs Linux's namespaces: those of root, or an ordinary user's, who is root in there and nobody else.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEVICES = ("null", "zero", "full", "random", "urandom")

IS_ROOT = os.geteuid() == 0


@dataclass(frozen=True, slots=True)
class Root:
    """A folder, and what is laid over it while a command runs."""

    folder: Path
    read_only: bool = False
    """But for `own` and /tmp."""
    own: Mapping[str, Path] = field(default_factory=dict)
    """Folders and files from outside, by where they are seen."""


@dataclass(frozen=True, slots=True)
class Command:
    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str = "/"
    user: str = "0:0"


def words(root: Root, command: Command) -> list[str]:
    """What runs the command in the root. Its exit code is the command's; so is its only child."""
    script = [*map(shlex.join, _mounts(root)), f"exec {shlex.join(_entered(root, command))}"]
    return [*_namespaces(), "/bin/sh", "-euc", "\n".join(script)]


def refused() -> str | None:
    """Why this machine gives no namespaces, if so."""
    try:
        done = subprocess.run(
            [*_namespaces(), "mount", "-t", "proc", "proc", "/proc"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return f"{error.filename} is missing"
    return (done.stderr.strip() or "unshare failed") if done.returncode else None


def _namespaces() -> list[str]:
    new = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return new if IS_ROOT else [*new, "--user", "--map-root-user"]


def _mounts(root: Root) -> Iterator[list[str]]:
    base = str(root.folder)
    yield ["mount", "--bind", base, base]
    yield ["mount", "-t", "proc", "proc", f"{base}/proc"]
    yield ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{base}/dev"]
    for device in DEVICES:
        yield ["touch", f"{base}/dev/{device}"]
        yield ["mount", "--bind", f"/dev/{device}", f"{base}/dev/{device}"]
    if root.read_only:
        yield ["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{base}/tmp"]
        yield ["mount", "-o", "remount,bind,ro", base]
    for place, source in root.own.items():
        yield ["mount", "--bind", str(source), f"{base}{place}"]


def _entered(root: Root, command: Command) -> list[str]:
    values = [f"{name}={value}" for name, value in command.environment.items()]
    # Alone in its namespace, an ordinary user cannot become somebody else: it stays itself, without root's rights.
    user = [f"--userspec={command.user}", "--groups="] if IS_ROOT and command.user != "0:0" else []
    return [
        "setpriv", "--no-new-privs", "chroot", *user, str(root.folder),
        "/usr/bin/env", "--ignore-environment", f"--chdir={command.folder}", *values, *command.words,
    ]  # fmt: skip
