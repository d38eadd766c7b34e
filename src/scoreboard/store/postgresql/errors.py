"""Classification of the errors of PostgreSQL and of connections to it."""

from typing import Final

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scoreboard.domain.errors import StoreUnavailable
from scoreboard.store.rejected_content import ContentRejected

log = structlog.get_logger()


class ConnectionLost(Exception):
    """Raised when a connection was lost, or was closed because its server is silent."""

    def __init__(self, *, is_silent: bool) -> None:
        super().__init__("the server is silent" if is_silent else "the connection was lost")
        self.is_silent = is_silent


class WrongRole(Exception):
    """Raised when a server does not have the role that the URL asks for, such as a standby."""


class Conflict(Exception):
    """Raised if another commit changed a player since the facts were read. Its cause is PostgreSQL's."""


CONNECT_ERRORS: Final = (
    WrongRole,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Every error that an attempt to connect can raise."""

CALL_ERRORS: Final = (ConnectionLost, DBAPIError, PoolTimeout, *CONNECT_ERRORS)
"""Every error that a database call can raise. SQLAlchemy does not wrap connection errors."""

READ_ONLY: Final = "25006"
"""The server is read-only. After a fail-over, its name leads to another server."""

STANDBY: Final = "0A000"
"""A standby's error for a transaction that requires the primary (`Connections.transaction`)."""


def is_demoted(error: BaseException) -> bool:
    """Return True if the server refuses writes: another server may be the primary now."""
    return _code(error) in {READ_ONLY, STANDBY}


def is_fatal(error: BaseException) -> bool:
    """Return True if a connection must be closed: the server has ended it, or has become a standby.

    https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, operator
    intervention, and the time-outs of sessions.
    """
    code = _code(error)
    return code.startswith(("08", "57P")) or code in {"25P03", "25P04"} or is_demoted(error)


def is_conflict(error: BaseException) -> bool:
    """Return True for a conflict with a transaction that added the same player, or a deadlock (a bug)."""
    return _code(error) in {"23505", "40001", "40P01"}


_OF_CONTENT: Final = ("0A", "21", "22", "23", "27", "2F", "38", "39", "42", "44", "54", "P0", "XX")
"""Classes of errors caused by a row or a statement, not by the state of the server.

https://www.postgresql.org/docs/current/errcodes-appendix.html: among them are constraints (23), values out of
range (22), errors of triggers (P0, 38, 39), and damaged rows and indexes (XX).
"""


def _is_of_content(error: BaseException) -> bool:
    # asyncpg raises a ValueError for a value that it cannot encode.
    wrapped = getattr(error, "orig", None)
    is_not_sent = isinstance(error if wrapped is None else wrapped.__cause__, ValueError)
    return is_not_sent or (_code(error).startswith(_OF_CONTENT) and not is_demoted(error))


def is_unknown_parameter(error: BaseException) -> bool:
    """Return True if a pooler such as pgbouncer refuses session parameters."""
    return _code(error) == "08P01" and "unsupported startup parameter" in str(error)


def _code(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None))


def was_lost(error: BaseException) -> bool:
    """Return True if a connection was lost, possibly before this use, and not because its server is silent.

    If nothing can have been committed, a retry on another connection may succeed.
    """
    return isinstance(error, ConnectionLost) and not error.is_silent


def reason(error: BaseException) -> str:
    """Return the cause of an error, for the log."""
    cause = error.__cause__ if was_lost(error) else None
    # Later lines are details, which may contain values.
    return str(cause or getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__


def store_error(error: BaseException) -> StoreUnavailable | ContentRejected:
    """Return the exception to raise for a transaction that was not committed."""
    return ContentRejected(reason(error)) if _is_of_content(error) else log_unavailable(error)


def log_unavailable(error: BaseException) -> StoreUnavailable:
    """Log the error, and return the exception that asks the client to retry."""
    log.error("the database failed", reason=reason(error))
    return StoreUnavailable()
