"""Somebody who watches a board: what the hub asks of a connection."""

from abc import ABC, abstractmethod
from collections.abc import Callable


class Subscriber(ABC):
    """An open stream. The hub alone sets the attributes; the connection alone implements the methods."""

    __slots__ = ("__weakref__", "behind_since", "on_drained", "sent")

    def __init__(self) -> None:
        self.sent = 0
        """The number of the newest frame that was written here, in the hub's own count."""
        self.behind_since: float | None = None
        """When the hub first passed this one over because its bytes were not taken (monotonic seconds)."""
        self.on_drained: Callable[[Subscriber], None] = _nobody
        """To be called by the connection once what was buffered has gone."""

    @property
    @abstractmethod
    def is_behind(self) -> bool:
        """Whether bytes that were written here still wait to be taken."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Hand bytes to the connection, now and without waiting. Not to be called while it is behind."""

    @abstractmethod
    def close(self, last: bytes) -> None:
        """End the stream with some last bytes; where it is behind, end it without them."""


def _nobody(_subscriber: Subscriber) -> None:
    pass
