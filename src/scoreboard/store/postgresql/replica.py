"""Reads from a replica of the database, for large results that may be a moment old."""

from collections.abc import Callable
from typing import Final, TypeVar

from scoreboard.resilience.circuit_breaker import CircuitBreaker
from scoreboard.store.postgresql.connections import Connections
from scoreboard.store.postgresql.errors import reason
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
from scoreboard.store.postgresql.server import Server
from scoreboard.store.reads import events, newest_events

CONNECTIONS: Final = 2
"""One fill of a ranking and one long read at a time. Further reads use the database itself."""

RETRY_SECONDS: Final = 10.0
"""How long no reads are sent to a replica after it has failed."""

T = TypeVar("T")


class Replica(Connections):
    """Connections to a replica. The caller repeats a read that it cannot answer on the database itself."""

    def __init__(self, server: Server, limits: DatabaseLimits, primary: Connections) -> None:
        super().__init__(server, limits, CONNECTIONS, "read")
        self._primary = primary
        self._breaker = CircuitBreaker("database replica", retry_seconds=RETRY_SECONDS)

    async def __aexit__(self, *exc_info: object) -> None:
        await self._breaker.stop()
        await super().__aexit__(*exc_info)

    async def read(self, board: str | None, work: Callable[..., T], *args: object) -> T | None:
        """Return the result, or None if the replica does not answer, or does not have the database's history.

        Its last event of the board (None: of each board) must also be in the database. Then all events before
        it are. A database that was restored from a backup may have another history than its former replica.
        """
        if self._breaker.is_open or self.used >= self.most:
            return None
        try:
            result, newest = await self.attempt(
                lambda connection: (work(connection, *args), newest_events(connection, board))
            )
        except Exception as error:  # noqa: BLE001  # A replica may have unexpected content, such as tables of another version.
            self._breaker.open(reason(error))
            return None
        for event in newest:
            known = await self._primary.run(events, event.board, event.version - 1, 1)
            if [one.event_id for one in known] != [event.event_id]:
                self._breaker.open("it has another history than the database")
                return None
        return result
