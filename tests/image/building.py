"""The Dockerfile's own steps, one by one, each stage in a folder that stands for its root."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.image import rooted
from tests.image.base import CERTIFICATES, PATH
from tests.image.dockerfile import BadDockerfile, Dockerfile, Instruction, Stage, filled

RUN_SECONDS = 300

PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
PIP = ("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_PROXY", "PIP_DEFAULT_TIMEOUT")
"""How this machine reaches a package registry: given to each RUN and kept by none, as Docker does with its proxies."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Built:
    """A stage's root, and what it says about a container of it."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    volumes: list[str] = field(default_factory=list)


def build(dockerfile: Dockerfile, context: Path, base: Path, work: Path, say: Say) -> Built:
    """The last stage. Each that comes from outside begins with `base`. Raises BadDockerfile."""
    built: dict[str, Built] = {}
    for number, stage in enumerate(dockerfile.stages):
        work.mkdir(exist_ok=True)
        root = work / f"stage-{number}"
        before = built.get(stage.base)
        shutil.copytree(before.root if before else base, root, symlinks=True)
        start = Built(root) if before is None else _next(before, root)
        built[stage.name] = _run_stage(stage, start, dockerfile.arguments, context, built, say)
    return built[dockerfile.stages[-1].name]


def _next(before: Built, root: Path) -> Built:
    return Built(
        root, dict(before.environment), before.folder, before.user, before.entrypoint, before.command
    )


def _run_stage(
    stage: Stage, built: Built, outer: Mapping[str, str], context: Path, others: Mapping[str, Built], say: Say
) -> Built:
    say(f"FROM {stage.base}")
    arguments: dict[str, str] = {}
    for step in stage.steps:
        values = {**arguments, **built.environment}
        text = (
            step.text
            if step.name in {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"}
            else filled(step.text, values)
        )
        match step.name:
            case "ARG":
                name, _, default = text.partition("=")
                arguments[name] = default or outer.get(name, "")
            case "COPY":
                source = others[step.flags["from"]].root if "from" in step.flags else context
                _copy(step, text, source, built)
            case "RUN":
                say(f"RUN {text}")
                _run(step, built, arguments)
            case _:
                _set(step, text, built)
    return built


def _set(step: Instruction, text: str, built: Built) -> None:
    match step.name:
        case "ENV":
            built.environment |= dict(word.partition("=")[::2] for word in shlex.split(text))
        case "WORKDIR":
            built.folder = str(PurePosixPath(built.folder) / text)
            _inside(built.root, built.folder).mkdir(parents=True, exist_ok=True)
        case "USER":
            built.user = text if ":" in text else f"{text}:{text}"
        case "VOLUME":
            built.volumes += text.split()
        case "STOPSIGNAL":
            built.stop_signal = text
        case "ENTRYPOINT":
            built.entrypoint = step.command()
        case "CMD":
            built.command = step.command()
        case "HEALTHCHECK":
            built.health = Instruction(step.line, "CMD", {}, text.removeprefix("CMD").strip()).command()
        case "LABEL" | "EXPOSE":
            pass  # A container is the same without.


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _copy(step: Instruction, text: str, source: Path, built: Built) -> None:
    *names, to = text.split()
    target = _inside(built.root, str(PurePosixPath(built.folder) / to))
    found: list[Path] = []
    for name in names:
        matching = sorted(source.glob(name.lstrip("/")))
        if not matching:
            raise BadDockerfile(f"line {step.line}: COPY finds no {name}")
        found += matching
    into = to.endswith("/") or len(found) > 1 or target.is_dir()
    for path in found:
        # A folder's content is copied, not the folder itself.
        place = target / path.name if into and not path.is_dir() else target
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(path, place, follow_symlinks=False)
        _give(place, step.flags.get("chown", "0:0"))


def _give(path: Path, owner: str) -> None:
    if not rooted.IS_ROOT:
        return
    user, _, group = owner.partition(":")
    for one in (path, *path.rglob("*")):
        os.chown(one, int(user), int(group or user), follow_symlinks=False)


def _run(step: Instruction, built: Built, arguments: Mapping[str, str]) -> None:
    own = {place: Path(place).resolve() for place in ("/etc/resolv.conf", "/etc/hosts")}
    ways = {name: os.environ[name] for name in (*PROXIES, *PIP) if name in os.environ}
    if "PIP_CERT" in os.environ:
        own[CERTIFICATES] = Path(os.environ["PIP_CERT"]).resolve()
        ways["PIP_CERT"] = CERTIFICATES
    environment = {"HOME": "/root", **ways, **arguments, **built.environment}
    command = rooted.Command(step.command(), environment, built.folder, built.user)
    done = subprocess.run(
        rooted.words(rooted.Root(built.root, own=own), command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BadDockerfile(
            f"line {step.line}: RUN ended with {done.returncode}:\n{done.stdout.strip()[-2_000:]}"
        )


def size_mb(folder: Path) -> float:
    """Of the files in it."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink()) / 1e6
