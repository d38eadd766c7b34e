"""The image as the Dockerfile's own steps have made it, run in namespaces."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.image import rooted
from tests.image.base import WANTED, find_python, make_base
from tests.image.building import Built, build, size_mb
from tests.image.containers import NONE, Container, Image
from tests.image.context import send
from tests.image.dockerfile import read_dockerfile
from tests.servers.process import children_of, free_port, until

LIMIT_SECONDS = 30.0


@contextmanager
def built_by_steps(folder: Path, say: Callable[[str], None]) -> Iterator["StepImage"]:
    """Build a folder's Dockerfile on a fresh tree. Raises NoBase, BadDockerfile."""
    work = Path(tempfile.mkdtemp(prefix="scoreboard-image-"))
    try:
        python = find_python()
        if not python.version.startswith(WANTED):
            say(
                f"Python {WANTED} is not on this machine: Python {python.version} stands for the base image's."
            )
        if not rooted.IS_ROOT:
            say("This is not root: the server runs as this user in place of the image's.")
        base = work / "base"
        base.mkdir()
        make_base(base, python)
        send(folder, work / "context")
        dockerfile = read_dockerfile((folder / "Dockerfile").read_text())
        built = build(dockerfile, work / "context", base, work / "stages", say)
        say(
            f"built: {size_mb(built.root) - size_mb(base):.0f} MB more than the base, with Python {python.version}"
        )
        yield StepImage(built, work)
    finally:
        shutil.rmtree(work)


class StepImage(Image):
    def __init__(self, built: Built, work: Path) -> None:
        self.built = built
        self._work = work

    @contextmanager
    def volume(self) -> Iterator[str]:
        """As Docker does, it begins as the image's own folder."""
        folder = Path(tempfile.mkdtemp(prefix="volume-", dir=self._work))
        own = (self.built.root / "data").stat()
        folder.chmod(own.st_mode & 0o7777)
        if rooted.IS_ROOT:
            os.chown(folder, own.st_uid, own.st_gid)
        try:
            yield str(folder)
        finally:
            shutil.rmtree(folder)

    def run(
        self, words: Sequence[str], volume: str, settings: Mapping[str, str] = NONE
    ) -> subprocess.CompletedProcess[str]:
        command = self.words(words, volume, settings)
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    def start(self, volume: str, settings: Mapping[str, str] = NONE) -> "StepContainer":
        return StepContainer(self, volume, settings)

    def words(
        self, words: Sequence[str], volume: str, more: Mapping[str, str], is_first: bool = False
    ) -> list[str]:
        built = self.built
        root = rooted.Root(built.root, read_only=True, own=dict.fromkeys(built.volumes, Path(volume)))
        command = rooted.Command(words, {**built.environment, **more}, built.folder, built.user)
        return rooted.words(root, command, is_first)


class StepContainer(Container):
    address = "127.0.0.2"
    """What listens on 127.0.0.1 alone does not answer here: nobody would reach it in a container."""

    def __init__(self, image: StepImage, volume: str, settings: Mapping[str, str]) -> None:
        self._image = image
        self._volume = volume
        # It has this machine's network: the image's own port may be taken there.
        self.port = free_port()
        self._settings = {**settings, "SCOREBOARD_PORT": str(self.port)}
        built = image.built
        self._process = subprocess.Popen(
            image.words([*built.entrypoint, *built.command], volume, self._settings, is_first=True),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def health(self) -> int:
        command = self._image.words(self._image.built.health, self._volume, self._settings)
        return subprocess.run(command, capture_output=True, timeout=LIMIT_SECONDS, check=False).returncode

    def user(self) -> int:
        status = Path(f"/proc/{self._server()}/status").read_text()
        return int(status.partition("\nUid:\t")[2].split()[0])

    def stop(self) -> int:
        os.kill(self._server(), signal.Signals[self._image.built.stop_signal])
        return self._process.wait(LIMIT_SECONDS)

    def ended(self) -> str:
        self._kill()
        assert self._process.stdout is not None
        return self._process.stdout.read()

    def _server(self) -> int:
        until(lambda: bool(children_of(self._process.pid)), "the container has a process")
        return children_of(self._process.pid)[0]

    def _kill(self) -> None:
        for server in children_of(self._process.pid):
            os.kill(server, signal.SIGKILL)
        self._process.kill()

    def __exit__(self, *exc_info: object) -> None:
        if self._process.poll() is None:
            self._kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
