"""A PostgreSQL whose flush is slow: `slow_flush.c`, compiled on the spot."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import asyncpg

from tests.load.options import CannotMeasure
from tests.servers.process import ordinary_user, own_folder

SOURCE = Path(__file__).with_suffix(".c")
FLUSH_MS = 4.0
"""As in the source."""

COMMITS = 25


@contextmanager
def slow_flush() -> Iterator[Mapping[str, str]]:
    """The variables that make a server's flush slow. Raises CannotMeasure."""
    if sys.platform != "linux":
        raise CannotMeasure("a flush can be slowed down on Linux alone, by LD_PRELOAD")
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise CannotMeasure(f"a C compiler is needed for {SOURCE.name}: on Debian, apt-get install gcc libc6-dev")
    # PostgreSQL's user has to reach it.
    folder = own_folder("scoreboard-slow-flush-", ordinary_user())
    try:
        library = folder / "slow_flush.so"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE)]
        compiled = subprocess.run(command, capture_output=True, text=True, check=False)
        if compiled.returncode != 0:
            raise CannotMeasure(f"{SOURCE.name} could not be compiled: {compiled.stderr}")
        library.chmod(0o755)
        yield {"LD_PRELOAD": str(library)}
    finally:
        shutil.rmtree(folder)


async def flush_ms(url: str) -> float:
    """What a bare commit takes: the proof that the flush is slow. Raises CannotMeasure where it is not."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE flushed (number int)")
        taken = []
        for number in range(COMMITS):
            started = time.perf_counter()
            await connection.execute("INSERT INTO flushed VALUES ($1)", number)
            taken.append(time.perf_counter() - started)
        await connection.execute("DROP TABLE flushed")
    finally:
        await connection.close()
    measured = 1_000 * median(taken)
    if measured < FLUSH_MS:
        raise CannotMeasure(f"a commit takes {measured:.1f} ms: this PostgreSQL takes no LD_PRELOAD")
    return measured
