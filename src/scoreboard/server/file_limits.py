"""The limit of open files. Each connection needs a file descriptor."""

import resource
from contextlib import suppress
from typing import Final

RESERVED: Final = 250
"""Descriptors for files, connection pools, other requests, and connections that are being refused."""

MAX_FILES: Final = 1_048_576
"""The limit to ask for if the system sets none: Linux's default of `fs.nr_open`."""


def make_room_for_streams() -> int:
    """Raise this process's limit of open files as far as possible. Return the number of streams that fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS reports an infinite hard limit, and refuses large values.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = MAX_FILES if soft == resource.RLIM_INFINITY else soft
    return max(1, files - RESERVED)
