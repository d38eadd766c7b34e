"""Commits to PostgreSQL: retries after conflicts, and the look-up of a commit whose outcome is unknown.

A commit takes four short round trips: lock, facts, append, COMMIT. Nothing else happens between the lock and
COMMIT, since every other process waits for it. The server ends the transaction of a process that stops while
it holds the lock (`idle_in_transaction_session_timeout`). This process closes the connection to a server that
does not answer: while a statement is slow, the prober checks on a separate connection that the server still
responds.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from scoreboard.domain.decisions import NO_DECISION, Decision
from scoreboard.domain.errors import OutcomeUnknown, StoreUnavailable
from scoreboard.store.postgresql.connections import Connections, Transaction
from scoreboard.store.postgresql.errors import CALL_ERRORS, Conflict, reason, store_error, was_lost
from scoreboard.store.postgresql.ledger import is_in_ledger, lock

WRITERS: Final = 2
"""One for scores and one for a correction. If one is lost in a commit, the other can look up the outcome."""

TRIES: Final = 20
"""Attempts of one commit. Each conflict means that another commit has changed one of its players."""

CONFLICTS: Final = 4
"""Of these, attempts that PostgreSQL itself ended, because two commits added the same player at once. More
mean that the data is damaged."""

log = structlog.get_logger()


Write = Callable[[Transaction], Awaitable[Decision]]


async def commit(writer: Connections, board_keys: Sequence[int], write: Write) -> Decision:
    """Lock boards, write a decision, and commit it. `write` is called again after a conflict.

    Raises StoreUnavailable or ContentRejected if nothing was committed, OutcomeUnknown if that is not known,
    and what `write` raises.
    """
    lost = conflicts = 0
    for _ in range(TRIES):
        decision, is_committing = NO_DECISION, False
        try:
            async with writer.transaction(lock(board_keys)) as transaction:
                decision = await write(transaction)
                # A correction may change a player without an event. A batch without events has changed
                # nothing.
                is_committing = bool(decision.events)
                await transaction.commit()
        except Conflict as conflict:
            conflicts += conflict.__cause__ is not None
            if conflict.__cause__ is not None and conflicts > CONFLICTS:
                raise store_error(conflict.__cause__) from None
        except Exception as error:
            if is_committing:
                return await _look_up(writer, board_keys, decision, error)
            if not isinstance(error, CALL_ERRORS):
                raise
            lost += 1
            if lost > WRITERS or not was_lost(error):
                raise store_error(error) from None
        else:
            return decision
    log.error("the database failed", reason=f"players have changed {TRIES} times")
    raise StoreUnavailable


async def _look_up(
    writer: Connections, board_keys: Sequence[int], decision: Decision, error: BaseException
) -> Decision:
    """Find out whether a commit on a lost connection happened. Raises StoreUnavailable, OutcomeUnknown."""
    for number in range(WRITERS + 1):
        try:
            # The lock is free only once that transaction has ended.
            async with writer.transaction(lock(board_keys)) as transaction:
                if await is_in_ledger(transaction.raw, decision.events[0]):
                    return decision
            break
        except CALL_ERRORS as second:
            if number == WRITERS or not was_lost(second):
                log.warning("the outcome of a commit is unknown", reason=reason(error))
                raise OutcomeUnknown from second
    raise store_error(error) from None
