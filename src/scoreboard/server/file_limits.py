"""How many connections this process can hold: each takes a file descriptor."""

import resource
from contextlib import suppress
from typing import Final

RESERVED: Final = 250
"""For files, pools, other requests, and connections that are being refused."""

MOST: Final = 1_048_576
"""What Linux allows a process by default where nothing limits it (`fs.nr_open`)."""


def make_room_for_streams() -> int:
    """Raise the process's limit as far as it may go; how many streams there is room for then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Where it cannot be (macOS says “infinite” and means less), what there is has to do.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    descriptors = MOST if soft == resource.RLIM_INFINITY else soft
    return max(1, descriptors - RESERVED)
