"""Programs in C, for clients that must cost almost nothing. They are compiled when they are used."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.options import CannotMeasure

SOURCES = Path(__file__).parent


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
