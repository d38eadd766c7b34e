"""Instrumentation port."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class Pooled(Protocol):
    """A driver that has connections, for whoever watches them."""

    def pools(self) -> Mapping[str, tuple[int, int]]:
        """Of each pool, by its name: how many connections are in use, and how many there may be. From any thread."""


class Observer:
    """Hears everything and keeps nothing: for whoever wants no figures. All times are seconds."""

    def committed(self, submissions: int, accepted: int, seconds: float) -> None:
        """A turn at the store is over, and so many are in the ledger; the time counts from asking for the lock."""

    def refused(self, code: str) -> None:
        """A submission was refused, by a rule, or before anybody looked at it."""

    def applied(self, seconds: float) -> None:
        """The ranking has what one commit changed on one board."""

    def healed(self, standings: int) -> None:
        """A gap between store and ranking was closed."""

    def read(self, source: str) -> None:
        """A board was read: from the `ranking`, or where that could not be, from the `store`."""

    def delivered(self, at_us: int, seconds: float) -> None:
        """Record that a change of time `at_us` was written to every stream of a board, and how long that took."""

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered; of a stream, that it was begun."""

    def failed(self, work: str) -> None:
        """Record that a background loop failed. It will be retried."""


NULL_OBSERVER = Observer()
