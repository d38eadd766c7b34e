"""What the figures were measured on."""

import os
import shutil
import sqlite3
import subprocess
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
    """What a bare durable commit costs on this disk: the median of fifty, in milliseconds."""
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


def fdatasync_us(programs: Path) -> float | None:
    """What PostgreSQL's own tool says that its way to flush costs here; None where it is not among the programs.

    It would go on for many seconds with other ways and other sizes: it is ended when the first answer is there.
    """
    program = programs / "pg_test_fsync"
    if not program.exists():
        return None
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        command = (program, "--secs-per-test=1", f"--filename={Path(folder) / 'flushed'}")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    words = line.split()
                    if words[:1] == ["fdatasync"] and words[-1] == "usecs/op":
                        return float(words[-2])
            finally:
                process.terminate()
    return None


def pinned(core: int, *command: str) -> list[str]:
    """A command that keeps to one core, where there are two: what reads must not slow down what writes."""
    taskset = shutil.which("taskset")
    if taskset is None or (os.cpu_count() or 1) < 2:
        return list(command)
    return [taskset, "--cpu-list", str(core), *command]


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor, with all its threads. Raises OSError where there is none.

    It is the clock that clock_getcpuclockid(3) names on Linux. /proc/PID/stat counts in steps of 10 ms, and a thousand
    calls to Redis take a few of them.
    """
    return time.clock_gettime(~pid << 3 | 2)


def resident_bytes(pid: int) -> int:
    """The memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def kernel_bytes() -> int:
    """What the kernel's own objects take, sockets among them, and the bytes that wait in all TCP sockets."""
    slab = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("Slab:"))
    waiting = next(
        line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")
    )
    return int(slab.split()[1]) * 1_024 + int(waiting.split()[-1]) * os.sysconf("SC_PAGE_SIZE")
