"""A replica of the database: a moment behind it, and of use for what is much to read and need not be the newest."""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection

from scoreboard.resilience.circuit_breaker import CircuitBreaker
from scoreboard.store.postgresql.connections import Connections
from scoreboard.store.postgresql.database import Limits
from scoreboard.store.postgresql.errors import reason
from scoreboard.store.postgresql.server import Server

CONNECTIONS: Final = 2
"""One fill and one long reading at a time; whoever else comes asks the database itself."""

REST_SECONDS: Final = 10.0
"""How long a replica that has failed is not asked again: meanwhile nobody waits for it."""

T = TypeVar("T")


class Replica(Connections):
    """Asked first where that is of use. What it cannot answer, the database itself can."""

    def __init__(self, server: Server, limits: Limits) -> None:
        super().__init__(server, limits, CONNECTIONS, "read")
        self._breaker = CircuitBreaker("database replica", retry_seconds=REST_SECONDS)

    async def __aexit__(self, *exc_info: object) -> None:
        await self._breaker.stop()
        await super().__aexit__(*exc_info)

    async def ask(self, work: Callable[[Connection], T]) -> T | None:
        """What it says; None where it says nothing."""
        if self._breaker.is_open or self.used >= self.most:
            return None
        try:
            return await self.attempt(work)
        except Exception as error:  # noqa: BLE001  # A replica may have unexpected content, such as tables of another version.
            self.rest(reason(error))
            return None

    def rest(self, why: str) -> None:
        """Leave it alone for a while."""
        self._breaker.open(why)
