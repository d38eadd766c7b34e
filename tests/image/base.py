"""What stands for the base image: Debian's essential programs, as this machine has them, and a Python in /usr/local.

python:3.13-slim-bookworm is those packages and Python 3.13. Like there, Python brings pip and no compiled modules.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.image import rooted

WANTED = "3.13"
ALSO = ("3.12", "3.11")
"""What the image's Python is replaced by where this machine has none."""

PACKAGES = ("apt", "ca-certificates", "netbase", "tzdata")
"""What the slim image has beside the essential ones."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

UNWANTED = ("usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/")

ABOUT = """
import json, sys, sysconfig
import ensurepip, venv
print(json.dumps([sys.base_prefix, sys.version.split()[0], sys.executable, sysconfig.get_path("stdlib")]))
"""


class NoBase(Exception):
    """Raised when this machine cannot stand for the base image; tells what it lacks."""


@dataclass(frozen=True, slots=True)
class Python:
    """An installation of its own: not the one that Debian spreads over /usr."""

    prefix: Path
    version: str
    program: Path
    library: Path


def find_python() -> Python:
    """The newest that the image may have, 3.13 before all. Raises NoBase."""
    for version in (WANTED, *ALSO):
        for program in _programs(f"python{version}"):
            done = subprocess.run([program, "-IBc", ABOUT], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                prefix, full, executable, library = json.loads(done.stdout)
                if prefix != "/usr":
                    return Python(Path(prefix), full, Path(executable).resolve(), Path(library))
    raise NoBase(f"no Python {WANTED} with ensurepip is here, nor {' nor '.join(ALSO)}, besides Debian's own")


def _programs(name: str) -> Iterable[Path]:
    yield from (path for folder in os.get_exec_path() if (path := Path(folder, name)).is_file())
    # A shim of pyenv may lead nowhere: its versions are looked through too.
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    yield from sorted(versions.glob(f"*/bin/{name}"), reverse=True)


def make_base(root: Path, python: Python) -> None:
    """Fill a new folder. Raises NoBase."""
    if shutil.which("dpkg") is None:
        raise NoBase("the essential programs are taken from Debian's packages, and this is no Debian")
    # As anybody may go through it, whatever the mask of this process says.
    root.chmod(0o755)
    for folder in (
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "usr/lib64",
        "etc",
        "proc",
        "dev",
        "run",
        "var/tmp",
        "root",
    ):
        (root / folder).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    for file in ("etc/resolv.conf", "etc/hosts"):
        (root / file).touch()
    _copy(root, _files_of_packages())
    _copy_python(root, python)
    _copy(root, [CERTIFICATES, *_libraries(root, python)])
    for command in (["ldconfig"], ["python3", "-m", "ensurepip", "--default-pip"]):
        words = rooted.words(
            rooted.Root(root), rooted.Command(command, {"PATH": PATH, "PYTHONDONTWRITEBYTECODE": "1"})
        )
        subprocess.run(words, check=True, capture_output=True)


def _copy(root: Path, files: Iterable[str]) -> None:
    # (Without root, not all can be read; what cannot is a secret of this machine's, and no program.)
    names = "\0".join(name for name in files if os.access(name, os.R_OK) or Path(name).is_symlink())
    packing = ["tar", "--create", "--no-recursion", "--absolute-names", "--null", "--files-from=-"]
    packed = subprocess.run(packing, input=names.encode(), stdout=subprocess.PIPE, check=True)
    unpacking = ["tar", "--extract", f"--directory={root}", "--keep-directory-symlink"]
    subprocess.run(unpacking, input=packed.stdout, stderr=subprocess.DEVNULL, check=True)


def _files_of_packages() -> list[str]:
    listed = subprocess.run(
        ["dpkg", "--listfiles", *_packages()], capture_output=True, text=True, check=True
    ).stdout
    paths = (Path(line) for line in listed.splitlines() if line.startswith("/"))
    wanted = (path for path in paths if not str(path).startswith(tuple(f"/{part}" for part in UNWANTED)))
    return [
        str(path) for path in wanted if path.is_file() or (path.is_symlink() and path.parent != Path("/"))
    ]


def _packages() -> set[str]:
    """The essential ones, and what they cannot do without."""
    form = "${Package}\t${Essential}\t${Pre-Depends}, ${Depends}\n"
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat", form], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in asked.stdout.splitlines()]
    needs = {name: [part.split("|")[0].split() for part in needed.split(",")] for name, _, needed in rows}
    todo = [name for name, essential, _ in rows if essential == "yes"] + list(PACKAGES)
    found: set[str] = set()
    while todo:
        name = todo.pop().partition(":")[0]
        if name in needs and name not in found:
            found.add(name)
            todo += [words[0] for words in needs[name] if words]
    return found


def _copy_python(root: Path, python: Python) -> None:
    short = ".".join(python.version.split(".")[:2])
    local = root / "usr/local"
    (local / "bin").mkdir(parents=True)
    shutil.copy2(python.program, local / f"bin/python{short}")
    for name in ("python", "python3"):
        (local / "bin" / name).symlink_to(f"python{short}")
    without = shutil.ignore_patterns("__pycache__", "test", "tests", "site-packages", "config-*", "*.a")
    shutil.copytree(python.library, local / f"lib/python{short}", ignore=without, symlinks=True)
    (local / f"lib/python{short}/site-packages").mkdir()
    for library in (python.prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(library, local / "lib", follow_symlinks=False)


def _libraries(root: Path, python: Python) -> set[str]:
    """The machine's libraries that Python and its modules are linked to."""
    modules = [python.program, *(python.library / "lib-dynload").glob("*.so")]
    told = subprocess.run(["ldd", *modules], capture_output=True, text=True, check=False).stdout
    paths = {line.split("=> ")[1].split()[0] for line in told.splitlines() if "=> /" in line}
    missing = {
        path for path in paths if not path.startswith(str(python.prefix)) and not (root / path[1:]).exists()
    }
    return missing | {os.path.realpath(path) for path in missing}
