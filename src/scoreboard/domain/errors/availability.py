"""Errors of the scoreboard itself: it is overloaded, or something that it depends on does not answer."""

from scoreboard.domain.errors.base import RetryLater, ScoreboardError


class PlayerBusy(RetryLater):
    """Raised if too many submissions of one player wait."""

    code = "player_busy"
    detail = "Too many score updates of this user are waiting: wait for their responses."


class QueueFull(RetryLater):
    """Raised if too many submissions or corrections wait."""

    code = "queue_full"
    detail = "Too many score updates or corrections are waiting: try again."


class TooManyViews(RetryLater):
    """Raised if a stream asks for a number of rows, and too many other numbers are already streamed."""

    code = "too_many_views"
    detail = "Streams with too many different limits are open: leave out “limit”."


class StoreUnavailable(RetryLater):
    """Raised if the store does not answer or refuses writes. Nothing was changed."""

    code = "store_unavailable"
    detail = "The store is not available, and nothing was changed: try again."


class OutcomeUnknown(RetryLater):
    """Raised if the connection was lost during a commit, and it is unknown whether it happened."""

    code = "outcome_unknown"
    detail = "It is not known whether this counted: send it again with the same Idempotency-Key."


class ClockUnsure(RetryLater):
    """Raised after a jump of the clock, until the new time is confirmed. Nothing was changed."""

    code = "clock_unsure"
    detail = "The server's clock has jumped, and nothing was changed: try again."


class InternalError(ScoreboardError):
    """Raised for an unexpected error. The server has logged it."""

    code = "internal_error"
    detail = "An unexpected error occurred. It was logged."


class RankingUnavailable(RetryLater):
    """Raised if the ranking does not answer, or has not caught up with the store yet."""

    code = "ranking_unavailable"
    detail = "The ranking is not available: try again."
