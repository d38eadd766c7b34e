"""Errors of submissions that the catalog or a rule refuses."""

from collections.abc import Iterable

from scoreboard.domain.errors.base import RequestError, RetryLater


class UnknownBoard(RequestError):
    """Raised if a board is not in the catalog."""

    code = "unknown_board"

    def __init__(self, board: str) -> None:
        super().__init__(f"There is no board “{board}”.")


class UnknownPeriod(RequestError):
    """Raised if a board has no such period, or it has not begun."""

    code = "unknown_period"

    def __init__(self, period: str, board: str) -> None:
        super().__init__(
            f"The board “{board}” has no period “{period}”: GET /api/boards lists those that are open."
        )


class UnknownAction(RequestError):
    """Raised if an action is not in the catalog."""

    code = "unknown_action"

    def __init__(self, action_id: str) -> None:
        super().__init__(f"There is no action “{action_id}”.")


class PointsOutOfRange(RequestError):
    """Raised if a trusted server sends points that the catalog does not allow."""

    code = "points_out_of_range"

    def __init__(self, least: int | None, most: int | None) -> None:
        super().__init__(f"This action is worth {least} to {most} points.")


class PointsRequired(RequestError):
    """Raised if the catalog has no points for an action and the request states none."""

    code = "points_required"
    detail = "This action needs points: send them as “points”."


class ColumnRequired(RequestError):
    """Raised if the catalog has no value for a column of the board and the request states none."""

    code = "column_required"

    def __init__(self, column: str) -> None:
        super().__init__(f"This action needs a value for “{column}”: send it in “columns”.")


class ColumnOutOfRange(RequestError):
    """Raised if a trusted server sends a value for a column that the catalog does not allow."""

    code = "column_out_of_range"

    def __init__(self, column: str, least: int | None, most: int | None) -> None:
        super().__init__(f"“{column}” of this action is {least} to {most}.")


class UnknownColumn(RequestError):
    """Raised if a request states a value for a column that the board does not have."""

    code = "unknown_column"

    def __init__(self, column: str) -> None:
        super().__init__(f"The board of this action has no column “{column}”.")


class BoardNotOpen(RetryLater):
    """Raised before a board's `opens_at`."""

    code = "board_not_open"
    detail = "This board does not accept submissions yet."


class BoardClosed(RequestError):
    """Raised after a board's `closes_at`."""

    code = "board_closed"
    detail = "This board does not accept submissions any more."


class PeriodOver(RequestError):
    """Raised if a submission is for a period that is not open."""

    code = "period_over"

    def __init__(self, period: str, open_periods: Iterable[str]) -> None:
        super().__init__(f"The period “{period}” is not open. Open are: {', '.join(open_periods)}.")


class ActionDisabled(RequestError):
    """Raised if an action is disabled in the catalog."""

    code = "action_disabled"
    detail = "This action is disabled at the moment."


class ActionNotYet(RetryLater):
    """Raised before an action's `valid_from`."""

    code = "action_not_yet"
    detail = "This action cannot be submitted yet."


class ActionOver(RequestError):
    """Raised after an action's `valid_until`."""

    code = "action_over"
    detail = "This action cannot be submitted any more."


class ActionRequires(RequestError):
    """Raised if the player has not completed the action that this one requires."""

    code = "action_requires"

    def __init__(self, action_id: str) -> None:
        super().__init__(f"This action requires another one: complete “{action_id}” first.")


class ActionUsedUp(RequestError):
    """Raised if the player has completed an action `max_total` times."""

    code = "action_used_up"

    def __init__(self, most: int) -> None:
        times = "once" if most == 1 else f"{most} times in total"
        super().__init__(f"This action counts {times}.")


class ActionUsedUpToday(RetryLater):
    """Raised if the player has completed an action `max_per_day` times today."""

    code = "action_used_up_today"
    detail = "This action does not count again today: try again tomorrow."


class ActionUsedUpPeriod(RetryLater):
    """Raised if the player has completed an action as often as `max_per_period` allows in an open period."""

    code = "action_used_up_period"

    def __init__(self, kind: str, most: int, retry_after_us: int) -> None:
        super().__init__(retry_after_us)
        self._kind = kind
        self._times = "once" if most == 1 else f"{most} times"

    def __str__(self) -> str:
        return f"This action counts {self._times} in a {self._kind}: try again in the next {self._kind}."


class ActionCoolingDown(RetryLater):
    """Raised if the player has completed an action less than its `cooldown` ago."""

    code = "action_cooling_down"
    detail = "This action was completed a moment ago: wait before you submit it again."


class PlayerBanned(RequestError):
    """Raised if the player is banned."""

    code = "player_banned"
    detail = "This player is banned: no submission counts."


class ProofRequired(RequestError):
    """Raised if an action requires a trusted server's proof and the request has none."""

    code = "proof_required"
    detail = "This action requires a proof: get one from the game's server and send it as “proof”."


class ProofInvalid(RequestError):
    """Raised if a proof is malformed, expired, for another action or player, or wrongly signed."""

    code = "proof_invalid"
    detail = "The proof is expired, or not valid for this action and player: get a new one."


class ProofRedeemed(RequestError):
    """Raised if a proof was used before."""

    code = "proof_redeemed"
    detail = "This proof was used before: each one counts once."


class ScoreOutOfRange(RequestError):
    """Raised if the new score would not be an exact integer in every JSON reader (RFC 8259, section 6)."""

    code = "score_out_of_range"
    detail = "The score would be beyond ±(2^53 - 1)."


class IdempotencyKeyReused(RequestError):
    """Raised if an idempotency key was used before with another body."""

    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was used with another body: use a new one."


class RateLimited(RetryLater):
    """Raised if a player has used up the rate limit."""

    code = "rate_limited"

    def __str__(self) -> str:
        return f"Too many score updates: the next one counts in {self.retry_after_seconds} s."
