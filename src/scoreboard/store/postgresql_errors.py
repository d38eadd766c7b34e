"""The errors of PostgreSQL and of the way to it, and what each means for a connection."""

from typing import Final

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scoreboard.errors import StoreUnavailable
from scoreboard.store.rejected import Rejected

log = structlog.get_logger()


class ConnectionLost(Exception):
    """Raised when a connection has died, or was cut off since its server is silent."""

    def __init__(self, *, is_silent: bool) -> None:
        super().__init__("the server is silent" if is_silent else "the connection was lost")
        self.is_silent = is_silent


class WrongRole(Exception):
    """Raised when a server is a standby where the primary is needed, or the other way round."""


ERRORS: Final = (
    WrongRole,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Every error that a connection of asyncpg's raises, while it is made and afterwards."""

FAILURES: Final = (ConnectionLost, DBAPIError, PoolTimeout, *ERRORS)
"""Every error that a database call can raise. SQLAlchemy does not wrap connection errors."""

READ_ONLY: Final = "25006"
"""A server that takes no writes: after a fail-over the name leads to another one."""

STANDBY: Final = "0A000"
"""The answer of a standby to a transaction that demands the primary (`Connections.transaction`)."""


def is_demoted(error: BaseException) -> bool:
    """Whether the server takes no writes, so that the primary may be another one by now."""
    return _code(error) in {READ_ONLY, STANDBY}


def is_fatal(error: BaseException) -> bool:
    """Whether a connection is of no more use: the server has ended it, or is only a standby now.

    https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, operator intervention, and
    the time-outs of sessions.
    """
    code = _code(error)
    return code.startswith(("08", "57P")) or code in {"25P03", "25P04"} or is_demoted(error)


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction has got in the way: somebody new came into being meanwhile, or (it should never be
    so) the two waited for each other.
    """
    return _code(error) in {"23505", "40001", "40P01"}


_OF_CONTENT: Final = ("0A", "21", "22", "23", "27", "2F", "38", "39", "42", "44", "54", "P0", "XX")
"""Classes of errors that a row or a statement causes, and not the state of the server.

https://www.postgresql.org/docs/current/errcodes-appendix.html: among them are constraints (23), values out of range
(22), errors of triggers (P0, 38, 39), and damaged rows and indexes (XX).
"""


def _is_of_content(error: BaseException) -> bool:
    # asyncpg raises a ValueError of its own for a value that it cannot encode.
    is_not_sent = isinstance(getattr(getattr(error, "orig", None), "__cause__", None), ValueError)
    return is_not_sent or (_code(error).startswith(_OF_CONTENT) and not is_demoted(error))


def is_unknown_parameter(error: BaseException) -> bool:
    """Whether a pooler such as pgbouncer refuses parameters of the session."""
    return _code(error) == "08P01" and "unsupported startup parameter" in str(error)


def _code(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None))


def was_dead(error: BaseException) -> bool:
    """Whether a connection had died, maybe unnoticed since it was last used: then another one may do better.

    To be asked where nothing can have been committed.
    """
    return isinstance(error, ConnectionLost) and not error.is_silent


def reason(error: BaseException) -> str:
    """What has happened, for the log."""
    cause = error.__cause__ if was_dead(error) else None
    # Further lines tell details, in which values may stand.
    return str(cause or getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__


def failed(error: BaseException) -> StoreUnavailable | Rejected:
    """Return what to raise for a transaction that was not committed."""
    return Rejected(reason(error)) if _is_of_content(error) else unavailable(error)


def unavailable(error: BaseException) -> StoreUnavailable:
    """The sender is told to come back, and the log says why."""
    log.error("the database failed", reason=reason(error))
    return StoreUnavailable()
