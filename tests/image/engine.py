"""The image as a Docker engine builds and runs it."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from tests.image.containers import NONE, Container, Image
from tests.servers.process import free_port

LIMIT_SECONDS = 60.0
BUILD_SECONDS = 900.0

HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def engine_answers() -> bool:
    try:
        return (
            subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False).returncode == 0
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


@contextmanager
def built_by_engine(folder: Path, say: Callable[[str], None]) -> Iterator["EngineImage"]:
    tag = f"scoreboard-trial:{token_hex(4)}"
    subprocess.run(["docker", "build", "--tag", tag, str(folder)], timeout=BUILD_SECONDS, check=True)
    try:
        (about,) = json.loads(_docker("image", "inspect", tag))
        say(f"built: {about['Size'] / 1e6:.0f} MB, base included")
        yield EngineImage(tag, about["Config"]["Healthcheck"]["Test"][1:])
    finally:
        _docker("image", "rm", "--force", tag)


def _docker(*words: str) -> str:
    done = subprocess.run(
        ["docker", *words], stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True
    )
    return done.stdout.strip()


def _with(settings: Mapping[str, str]) -> list[str]:
    """On this machine's own network, where its servers are."""
    given = [f"--env={name}={value}" for name, value in settings.items()]
    return ["--network=host", *given] if given else []


class EngineImage(Image):
    def __init__(self, tag: str, health: Sequence[str]) -> None:
        self.tag = tag
        self.health = health

    @contextmanager
    def volume(self) -> Iterator[str]:
        name = _docker("volume", "create")
        try:
            yield name
        finally:
            _docker("volume", "rm", name)

    def run(
        self, words: Sequence[str], volume: str, settings: Mapping[str, str] = NONE
    ) -> subprocess.CompletedProcess[str]:
        program, *arguments = words
        place = [f"--volume={volume}:/data", f"--entrypoint={program}", *_with(settings)]
        command = ["docker", "run", "--rm", *HARDENED, *place, self.tag]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )

    def start(self, volume: str, settings: Mapping[str, str] = NONE) -> "EngineContainer":
        return EngineContainer(self, volume, settings)


class EngineContainer(Container):
    address = "127.0.0.1"

    def __init__(self, image: EngineImage, volume: str, settings: Mapping[str, str]) -> None:
        self._image = image
        self.port = free_port()
        place = [f"--publish=127.0.0.1:{self.port}:8000"]
        if settings:
            place = _with({**settings, "SCOREBOARD_PORT": str(self.port)})
        place.append(f"--volume={volume}:/data")
        self._id = _docker("run", "--detach", *HARDENED, *place, image.tag)

    def health(self) -> int:
        command = ["docker", "exec", self._id, *self._image.health]
        return subprocess.run(command, capture_output=True, timeout=LIMIT_SECONDS, check=False).returncode

    def user(self) -> int:
        return int(_docker("exec", self._id, "id", "-u"))

    def stop(self) -> int:
        _docker("stop", "--time=30", self._id)
        return int(_docker("inspect", "--format={{.State.ExitCode}}", self._id))

    def ended(self) -> str:
        _docker("stop", "--time=0", self._id)
        done = subprocess.run(["docker", "logs", self._id], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def __exit__(self, *exc_info: object) -> None:
        _docker("rm", "--force", "--volumes", self._id)
