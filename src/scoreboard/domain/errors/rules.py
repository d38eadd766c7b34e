"""Errors of submissions that the catalog or a rule refuses."""

from scoreboard.domain.errors.base import RequestError, RetryLater


class UnknownBoard(RequestError):
    """Raised if a board is not in the catalog."""

    code = "unknown_board"

    def __init__(self, board: str) -> None:
        super().__init__(f"There is no board “{board}”.")


class UnknownAction(RequestError):
    """Raised if an action is not in the catalog."""

    code = "unknown_action"

    def __init__(self, action_id: str) -> None:
        super().__init__(f"There is no action “{action_id}”.")


class PointsOutOfRange(RequestError):
    """Raised if a trusted server sends points that the catalog does not allow."""

    code = "points_out_of_range"

    def __init__(self, least: int, most: int) -> None:
        super().__init__(f"This action is worth {least} to {most} points.")


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
