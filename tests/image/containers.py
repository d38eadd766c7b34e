"""An image as a trial sees it, whoever has built it."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Self


class Container(ABC):
    """The image's own command, on a read-only root. Within a `with` block; nothing of it is left after."""

    address: str
    port: int
    """Where this machine finds the server."""

    @abstractmethod
    def health(self) -> int:
        """The exit code of the image's health check, run in the container."""

    @abstractmethod
    def user(self) -> int:
        """As whom the server runs: the number that the image gives it."""

    @abstractmethod
    def stop(self) -> int:
        """Send the image's stop signal; the exit code of the server."""

    @abstractmethod
    def ended(self) -> str:
        """What it has printed. It is killed, if it still runs."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *exc_info: object) -> None: ...


class Image(ABC):
    @abstractmethod
    def volume(self) -> AbstractContextManager[str]:
        """A new one for /data; its name. It is gone after the block."""

    @abstractmethod
    def run(self, words: Sequence[str], volume: str) -> subprocess.CompletedProcess[str]:
        """A command in a container of its own, as the image's user, to its end."""

    @abstractmethod
    def start(self, volume: str) -> Container:
        """The image's own command."""
