"""A PostgreSQL with a slow flush, by preloading `native/slow_flush.c`."""

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
"""The delay in the C source."""

COMMITS = 25


@contextmanager
def slow_flush() -> Iterator[Mapping[str, str]]:
    """Yield the variables that slow down the flush of a server. Raises CannotMeasure."""
    if sys.platform != "linux":
        raise CannotMeasure("slowing down a flush needs LD_PRELOAD, which needs Linux")
    # The user that runs PostgreSQL must be able to read it.
    folder = own_folder("scoreboard-slow-flush-", ordinary_user())
    try:
        library = compiled("slow_flush", folder, "-shared", "-fPIC", suffix=".so")
        yield {"LD_PRELOAD": str(library)}
    finally:
        shutil.rmtree(folder)


async def flush_ms(url: str) -> float:
    """Return the milliseconds of a bare commit. Raises CannotMeasure if the flush is not slow."""
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
        raise CannotMeasure(f"a commit takes {measured:.1f} ms: this PostgreSQL ignores LD_PRELOAD")
    return measured
