"""Instrumentation port. Components report events to an observer, and `metrics` counts them."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasPools(Protocol):
    """A driver with connection pools."""

    def pools(self) -> Mapping[str, tuple[int, int]]:
        """Return the connections in use and the size of each pool, by its name. Called from any thread."""


class Observer:
    """Ignores all events. Subclasses record them. Durations are in seconds."""

    def committed(self, submissions: int, accepted: int, seconds: float) -> None:
        """Record a commit of a batch, and its time, including the wait for the lock.

        `accepted` are the submissions that were added to the ledger.
        """

    def refused(self, code: str) -> None:
        """Record a submission that was refused, with the error's code."""

    def applied(self, seconds: float) -> None:
        """Record one attempt to apply the changes of a commit on one board."""

    def healed(self, standings: int) -> None:
        """Record that a gap between store and ranking was closed, by copying this many standings."""

    def read(self, source: str) -> None:
        """Record a read of a board from the `ranking`, or from the `store` if the ranking is unusable."""

    def delivered(self, reading_us: int, seconds: float) -> None:
        """Record that a change was written to every stream of a board.

        `reading_us` is that of the change, `seconds` the time of the writes.
        """

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Record the answer to a request, or the start of a stream."""

    def failed(self, work: str) -> None:
        """Record that a background loop failed. It will be retried."""


NULL_OBSERVER = Observer()
