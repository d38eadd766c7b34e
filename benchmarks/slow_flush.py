"""A PostgreSQL whose flush is slow: `native/slow_flush.c`, compiled on the spot."""

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median

import asyncpg

from benchmarks.native import compiled
from benchmarks.options import CannotMeasure
from tests.servers.process import ordinary_user, own_folder

FLUSH_MS = 4.0
"""As in the source."""

COMMITS = 25


@contextmanager
def slow_flush() -> Iterator[Mapping[str, str]]:
    """The variables that make a server's flush slow. Raises CannotMeasure."""
    if sys.platform != "linux":
        raise CannotMeasure("a flush can be slowed down on Linux alone, by LD_PRELOAD")
    # PostgreSQL's user has to reach it.
    folder = own_folder("scoreboard-slow-flush-", ordinary_user())
    try:
        library = compiled("slow_flush", folder, "-shared", "-fPIC", suffix=".so")
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
