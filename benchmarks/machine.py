"""Properties and resource usage of this machine."""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median


def machine() -> Mapping[str, str | float | int | None]:
    return {
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "bare_commit_ms": round(_bare_commit_ms(), 3),
    }


def _bare_commit_ms() -> float:
    """Return the milliseconds of a durable commit on this disk, the median of fifty."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        connection = sqlite3.connect(Path(folder) / "sync.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (a)")
        taken = []
        for _ in range(50):
            before = time.perf_counter()
            connection.execute("INSERT INTO t VALUES (1)")
            taken.append(time.perf_counter() - before)
        connection.close()
    return 1_000 * median(taken)


def pinned(core: int, *command: str) -> list[str]:
    """Return the command bound to a core, if there are two: the client must not slow down the server."""
    taskset = shutil.which("taskset")
    if taskset is None or (os.cpu_count() or 1) < 2:
        return list(command)
    return [taskset, "--cpu-list", str(core), *command]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads. Raises OSError if the process does not exist.

    Reads the clock of clock_getcpuclockid(3) on Linux. The 10 ms steps of /proc/PID/stat are too coarse.
    """
    return time.clock_gettime(~pid << 3 | 2)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def kernel_bytes() -> int:
    """Return the memory of kernel objects, including sockets, and of the buffers of all TCP sockets."""
    slab = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("Slab:"))
    waiting = next(
        line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")
    )
    return int(slab.split()[1]) * 1_024 + int(waiting.split()[-1]) * os.sysconf("SC_PAGE_SIZE")
