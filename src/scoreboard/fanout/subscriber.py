"""A subscriber: the hub's view of one open stream."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from scoreboard.fanout.encoding import Frame, Message
from scoreboard.fanout.stream_view import StreamView

NOT_IN_RING = -1


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A client's request for a stream."""

    view: StreamView
    takes_patches: bool = False
    version: int | None = None
    """The version that the client already has."""
    client_address: str | None = None
    """The client's address, if the number of streams per address is limited."""
    expires_at_us: int | None = None
    """The time at which the client's token expires (microseconds since the Unix epoch)."""


class Subscriber(ABC):
    """An open stream. The connection implements the methods and sets `is_behind`; a ring sets the rest."""

    __slots__ = (
        "__weakref__",
        "behind_since",
        "client_address",
        "expires_at_us",
        "frame",
        "frame_number",
        "index",
        "is_behind",
        "on_drained",
        "takes_patches",
        "view",
    )

    def __init__(self, request: StreamRequest) -> None:
        # The request itself is not kept: it would cost 3 % of a stream's memory.
        self.view = request.view
        self.takes_patches = request.takes_patches
        self.client_address = request.client_address
        self.expires_at_us = request.expires_at_us
        self.is_behind = False
        """True while written bytes wait to be sent. An attribute, because a walk reads thousands of them."""
        self.frame: Frame | None = None
        """The newest frame that was written."""
        self.frame_number = 0
        """The ring's number of that frame."""
        self.index = NOT_IN_RING
        """The position in the ring."""
        self.behind_since: float | None = None
        """The tick that first found this subscriber behind (monotonic seconds)."""
        self.on_drained: Callable[[Subscriber], None] = _ignore
        """Called by the connection when all written bytes are sent."""

    @abstractmethod
    def write(self, message: Message) -> None:
        """Write without waiting. Must not be called while the subscriber is behind."""

    @abstractmethod
    def close(self, last: Message | None) -> None:
        """End the stream after a last message, or abort it at once if there is none."""


def _ignore(_subscriber: Subscriber) -> None:
    pass
