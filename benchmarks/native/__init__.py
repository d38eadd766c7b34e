"""Programs in C, for clients that must cost almost nothing. They are compiled when they are used."""

import asyncio
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.machine import pinned
from benchmarks.options import CannotMeasure

SOURCES = Path(__file__).parent

LINE_BYTES = 2**26
"""The longest line of output: a report on all streams."""


def compiled(name: str, folder: Path, *options: str, suffix: str = "") -> Path:
    """Compile one of the sources in this folder. Return the program or library. Raises CannotMeasure."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    source = (SOURCES / name).with_suffix(".c")
    if compiler is None:
        raise CannotMeasure(
            f"a C compiler is needed for {source.name}: on Debian, apt-get install gcc libc6-dev"
        )
    program = folder / f"{name}{suffix}"
    done = subprocess.run(
        [compiler, "-O2", *options, "-o", str(program), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotMeasure(f"{source.name} could not be compiled: {done.stderr}")
    program.chmod(0o755)
    return program


@asynccontextmanager
async def running_native(core: int, name: str, *arguments: str) -> AsyncIterator[Process]:
    """Compile a program and run it on a core during the block. Raises CannotMeasure."""
    with tempfile.TemporaryDirectory(prefix="scoreboard-load-") as folder:
        async with running_program(core, str(compiled(name, Path(folder))), *arguments) as process:
            yield process


@asynccontextmanager
async def running_program(core: int, *command: str) -> AsyncIterator[Process]:
    """Run a program with pipes on a core during the block, and kill it at the end."""
    process = await asyncio.create_subprocess_exec(
        *pinned(core, *command), stdin=PIPE, stdout=PIPE, limit=LINE_BYTES
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()
