"""Somebody who watches a board: what the hub asks of a connection."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable

from scoreboard.fanout.frame import Frame, Message


class Subscriber(ABC):
    """An open stream. The hub alone sets the attributes, but for `is_behind`; the connection implements the methods."""

    __slots__ = (
        "__weakref__",
        "behind_since",
        "frame",
        "is_behind",
        "number",
        "on_drained",
        "origin",
        "place",
        "takes_patches",
        "until_us",
    )

    def __init__(
        self, *, takes_patches: bool = False, origin: str | None = None, until_us: int | None = None
    ) -> None:
        self.takes_patches = takes_patches
        """Whether it asked for what has changed, where it has what that builds on."""
        self.origin = origin
        """Where it comes from, if that has a limit."""
        self.until_us = NEVER_US if until_us is None else until_us
        """Until when it may watch (microseconds since the Unix epoch)."""
        self.is_behind = False
        """Whether bytes that were written here still wait to be taken: the connection keeps it. (It is a plain
        attribute, since a walk asks it of ten thousand.)"""
        self.frame: Frame | None = None
        """The newest frame that was written here."""
        self.number = 0
        """That frame's number, in the hub's own count of what can be told apart."""
        self.place = NO_PROVENANCE
        """Where it stands in its ring."""
        self.behind_since: float | None = None
        """When the hub first passed this one over because its bytes were not taken (monotonic seconds)."""
        self.on_drained: Callable[[Subscriber], None] = _nobody
        """To be called by the connection once what was buffered has gone."""

    @abstractmethod
    def write(self, message: Message) -> None:
        """Hand a message to the connection, now and without waiting. Not to be called while it is behind."""

    @abstractmethod
    def close(self, last: Message | None) -> None:
        """End the stream, with a last message; without one at once, as whoever has failed or takes nothing is ended."""


NO_PROVENANCE = -1

NEVER_US = sys.maxsize
"""One number for all who may watch for ever: it costs each of them no more than the place of it."""


def _nobody(_subscriber: Subscriber) -> None:
    pass
