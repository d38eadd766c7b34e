"""The servers of one URL: connecting to the one with the right role, and reconnecting after a fail-over."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import asyncpg
import structlog

from scoreboard.settings.postgresql_url import Address, Host, Role
from scoreboard.store.postgresql.errors import CONNECT_ERRORS, WrongRole, is_unknown_parameter
from scoreboard.store.postgresql.prober import APPLICATION_NAME, CONNECT_SECONDS, Prober

RENEWAL_SECONDS: Final = 1.0
"""Minimum time between two renewals: a server that refuses all scores costs no connection for each."""

READ_ONLY_SECONDS: Final = 5.0
"""The same for a read-only server: it may have been replaced, or its disk may be full."""

STATEMENT_CACHE_SIZE: Final = 100
"""Prepared statements per connection. None behind a pooler, where sessions change between statements."""

LEAVE: Final = (
    "SELECT pg_terminate_backend(pg_backend_pid()) "
    "WHERE pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
)
"""Terminates its own session if the server is not the primary. A pooler would otherwise reuse the session."""

WHO: Final = "SELECT pg_backend_pid() AS process_id, pg_is_in_recovery() AS is_standby"

log = structlog.get_logger()


class ServerConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection with the number of its server's renewals before it was made, and its last use."""

    __slots__ = ("renewals", "used_at")
    renewals: int
    used_at: float
    """Seconds of the loop."""


class Server:
    """One PostgreSQL server, or several of which one has the right role. All pools of a URL share it."""

    def __init__(self, address: Address, *, silence_seconds: float, busy_seconds: float) -> None:
        """`busy_seconds` is the time for which a pooler may delay a statement until a session is free."""
        self._address = address
        self._hosts = list(address.hosts)
        self._silence_seconds = silence_seconds
        self._busy_seconds = busy_seconds
        self._renewed_at = float("-inf")
        self.needs_primary = address.role is Role.PRIMARY
        self.takes_writes = True
        """False if the server reported that it is read-only on the last used connection."""
        self.is_pooled = False
        """True behind a pooler, which may change the session of each transaction. Detected on connecting."""
        self.renewals = 0
        """The number of renewals. Connections from before the last one are replaced before their next use."""
        self.prober = Prober(self._connect_prober, self._silence)

    def _silence(self) -> float:
        """Return the time limit of an answer to a trivial statement."""
        return self._silence_seconds + self._busy_seconds if self.is_pooled else self._silence_seconds

    def look_at(self, connection: ServerConnection) -> None:
        """Detect a server that is read-only by default: it reports this setting on all connections."""
        if self.is_pooled:
            # A pooler may report the setting of another server. `LEAVE` checks the server in use.
            return
        said = getattr(connection.get_settings(), "default_transaction_read_only", "off")
        self.takes_writes = said != "on"
        if not self.takes_writes and self.needs_primary:
            self.renew("the server is read-only", READ_ONLY_SECONDS)

    def renew(self, why: str, pause_seconds: float = RENEWAL_SECONDS) -> None:
        """Replace each connection before its next use, since another server may be the primary now."""
        now = asyncio.get_running_loop().time()
        if now - self._renewed_at >= pause_seconds:
            self._renewed_at = now
            self.renewals += 1
            self.prober.reconnect()
            log.warning("all connections to the database are replaced", reason=why)

    async def connect(
        self, settings: Mapping[str, str], *, command_seconds: float, seconds: float | None = None
    ) -> ServerConnection:
        """Connect to the first host that has the right role. Raises one of `CONNECT_ERRORS`.

        No settings are sent to a pooler, which would refuse or ignore them.
        """
        limit = self._address.connect_seconds or seconds or self._silence_seconds
        failure: BaseException | None = None
        second_best: ServerConnection | None = None
        renewals = self.renewals
        for host in tuple(self._hosts):
            try:
                connection, is_standby = await self._connect_to(host, settings, limit, command_seconds)
            except CONNECT_ERRORS as error:
                failure = error
                continue
            connection.renewals = renewals
            connection.used_at = asyncio.get_running_loop().time()
            if self._is_right(is_standby):
                self._hosts.sort(key=host.__ne__)
                if second_best is not None:
                    second_best.terminate()
                return connection
            if self._address.role is Role.PREFER_STANDBY and second_best is None:
                second_best = connection
            else:
                connection.terminate()
                failure = WrongRole(f"{host} is a {'standby' if is_standby else 'primary'}")
        if second_best is not None:
            return second_best
        assert failure is not None
        raise failure

    async def _connect_prober(self) -> ServerConnection:
        settings = {"application_name": APPLICATION_NAME}
        return await self.connect(settings, command_seconds=CONNECT_SECONDS, seconds=CONNECT_SECONDS)

    def _is_right(self, is_standby: bool) -> bool:
        return self._address.role is Role.ANY or is_standby is (self._address.role is not Role.PRIMARY)

    async def _connect_to(
        self, host: Host, settings: Mapping[str, str], seconds: float, command_seconds: float
    ) -> tuple[ServerConnection, bool]:
        """Connect to one host. Return the connection, and True if the server is a standby."""
        was_pooled = self.is_pooled
        try:
            connection = await asyncpg.connect(
                self._address.dsn,
                host=host.name,
                port=host.port,
                timeout=seconds,
                command_timeout=command_seconds,
                statement_cache_size=0 if was_pooled else STATEMENT_CACHE_SIZE,
                server_settings={
                    "application_name": "scoreboard",
                    **self._address.settings,
                    **({} if was_pooled else settings),
                },
                # Set explicitly, to override the environment: the caller checks the role.
                target_session_attrs="any",
                connection_class=ServerConnection,
            )
        except asyncpg.ProtocolViolationError as error:
            if was_pooled or not is_unknown_parameter(error):
                raise
            self._recognise_pooler()
            return await self._connect_to(host, settings, seconds, command_seconds)
        try:
            # Unnamed: behind a pooler, a named statement would remain for other clients.
            who = await (await connection.prepare(WHO, name="", timeout=seconds)).fetchrow(timeout=seconds)
        except BaseException:
            connection.terminate()
            raise
        if was_pooled or who["process_id"] == connection.get_server_pid():
            if was_pooled and self.needs_primary and who["is_standby"]:
                with suppress(*CONNECT_ERRORS):
                    await connection.execute(LEAVE, timeout=seconds)
            return connection, who["is_standby"]
        connection.terminate()
        self._recognise_pooler()
        return await self._connect_to(host, settings, seconds, command_seconds)

    def _recognise_pooler(self) -> None:
        """Detect a pooler: it reports a process id other than the server's, or refuses session parameters."""
        if not self.is_pooled:
            self.is_pooled = True
            log.info("the database is reached through a pooler", database=str(self._address))
