"""Everything that can go wrong, as one tree. No HTTP in it: `web.problems` gives each its status."""

from typing import ClassVar


class ScoreboardError(Exception):
    """The root of all errors that the scoreboard raises on purpose.

    `code` is stable and for programs; the message is one sentence for a person.
    """

    code: ClassVar[str] = "error"


class StartError(ScoreboardError):
    """Raised when the program cannot start: a bad setting, a taken port, a database that does not fit."""

    code = "cannot_start"


class CatalogError(StartError):
    """Raised when the catalog has a mistake; the message names the key it stands at."""

    code = "catalog_invalid"


class SchemaError(StartError):
    """Raised when a database is not ours, or its schema is not the one that this program was written for."""

    code = "schema_mismatch"


class RequestError(ScoreboardError):
    """The root of what the sender of a request can mend."""


class UnknownBoard(RequestError):
    """Raised when a board is not in the catalog."""

    code = "unknown_board"

    def __init__(self, board: str) -> None:
        super().__init__(f"There is no board “{board}”.")


class UnknownAction(RequestError):
    """Raised when an action is not in the catalog."""

    code = "unknown_action"

    def __init__(self, action_id: str) -> None:
        super().__init__(f"There is no action “{action_id}”.")


class Unauthorized(RequestError):
    """Raised when a request does not show who sends it; each child says what is wrong with its token."""


class TokenMissing(Unauthorized):
    """Raised when there is no bearer token."""

    code = "token_missing"

    def __init__(self) -> None:
        super().__init__("Send a token: “Authorization: Bearer …”.")


class TokenInvalid(Unauthorized):
    """Raised when a token is malformed, not signed by us, or lacks a claim that it must have."""

    code = "token_invalid"

    def __init__(self) -> None:
        super().__init__("The token is not valid.")


class TokenExpired(Unauthorized):
    """Raised when a token's time is over."""

    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("The token has expired: get a new one.")


class InsufficientScope(RequestError):
    """Raised when a token is good and does not allow what is asked."""

    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The token does not have the scope {scope}.")
        self.scope = scope


class NotYourScore(RequestError):
    """Raised when a caller claims an action for somebody else and has no right to."""

    code = "not_your_score"

    def __init__(self) -> None:
        super().__init__("The token is not this user's: a user can score for nobody else.")


class ActionByServer(RequestError):
    """Raised when a player claims what only a trusted server may claim."""

    code = "action_by_server"

    def __init__(self) -> None:
        super().__init__("Only a server with the scope scores:write:any may claim this action.")


class PointsNotYours(RequestError):
    """Raised when somebody else than a trusted server says what a claim is worth."""

    code = "points_not_yours"

    def __init__(self) -> None:
        super().__init__("What an action is worth stands in the catalog: leave “points” out.")


class NameNotYours(RequestError):
    """Raised when a request sets a player's name and does not come from a trusted server."""

    code = "name_not_yours"

    def __init__(self) -> None:
        super().__init__("Only a server with the scope scores:write:any may name a player: leave “name” out.")


class NameKept(RequestError):
    """Raised when a trusted server renames a player whose name an administrator has set."""

    code = "name_kept"

    def __init__(self) -> None:
        super().__init__("An operator has set this player's name, and has not released it.")


class PointsOutOfRange(RequestError):
    """Raised when a trusted server gives points that the catalog does not allow."""

    code = "points_out_of_range"

    def __init__(self, least: int, most: int) -> None:
        super().__init__(f"This action is worth {least} to {most} points.")


class ActionDisabled(RequestError):
    """Raised when an action is switched off in the catalog."""

    code = "action_disabled"

    def __init__(self) -> None:
        super().__init__("This action does not count at the moment.")


class ActionOver(RequestError):
    """Raised when an action's time is over."""

    code = "action_over"

    def __init__(self) -> None:
        super().__init__("The time of this action is over.")


class ActionUsedUp(RequestError):
    """Raised when a player has completed an action as often as it counts in all."""

    code = "action_used_up"

    def __init__(self, most: int) -> None:
        super().__init__(
            "This action counts once." if most == 1 else f"This action counts {most} times in all."
        )


class ActionRequires(RequestError):
    """Raised when another action has to be completed before."""

    code = "action_requires"

    def __init__(self, action_id: str) -> None:
        super().__init__(f"Complete “{action_id}” first.")


class PlayerBanned(RequestError):
    """Raised when somebody who is banned would score."""

    code = "player_banned"

    def __init__(self) -> None:
        super().__init__("This player is banned: nothing counts.")


class ProofRequired(RequestError):
    """Raised when an action counts only with a trusted server's proof, and none was sent."""

    code = "proof_required"

    def __init__(self) -> None:
        super().__init__(
            "This action counts only with a proof: ask the game's server for one and send it as “proof”."
        )


class ProofInvalid(RequestError):
    """Raised when a proof is malformed, not signed by us, over, or meant for another action or player."""

    code = "proof_invalid"

    def __init__(self) -> None:
        super().__init__("The proof is not valid for this action and player, or no longer.")


class ProofRedeemed(RequestError):
    """Raised when a proof comes again."""

    code = "proof_redeemed"

    def __init__(self) -> None:
        super().__init__("This proof was redeemed before: each counts once.")


class UnknownPlayer(RequestError):
    """Raised when nobody of that id has ever scored, or nobody is known by it any more."""

    code = "unknown_player"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"There is no player “{user_id}”.")


class UnknownEvent(RequestError):
    """Raised when a board's history does not go as far as that version."""

    code = "unknown_event"

    def __init__(self, board: str, version: int) -> None:
        super().__init__(f"Board “{board}” has no event {version}.")


class EventNotVoidable(RequestError):
    """Raised when an event has no points of its own that could be taken back."""

    code = "event_not_voidable"

    def __init__(self) -> None:
        super().__init__(
            "Only an award or an adjustment can be voided. A void is undone, a ban ends by an unban."
        )


class ScoreOutOfRange(RequestError):
    """Raised when a score would leave the range in which integers are exact everywhere."""

    code = "score_out_of_range"

    def __init__(self) -> None:
        super().__init__("The score would be beyond ±(2^53 - 1).")


class IdempotencyKeyReused(RequestError):
    """Raised when an idempotency key comes again with another body."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another action: use a new one.")


class RetryLater(ScoreboardError):
    """The root of what may succeed when it is tried again after `retry_after_us` microseconds."""

    def __init__(self, message: str, retry_after_us: int) -> None:
        super().__init__(message)
        self.retry_after_us = retry_after_us

    @property
    def retry_after_seconds(self) -> int:
        """Rounded up: what is tried again then is not refused again for the same reason."""
        return max(1, -(-self.retry_after_us // 1_000_000))


class RateLimited(RetryLater):
    """Raised when a player has used up the limit of submissions in a window of time."""

    code = "rate_limited"

    def __init__(self, retry_after_us: int) -> None:
        super().__init__("Too many score updates: wait before the next one.", retry_after_us)

    def __str__(self) -> str:
        return f"Too many score updates: the next one counts in {self.retry_after_seconds} s."


class ActionNotYet(RetryLater):
    """Raised when an action's time has not begun."""

    code = "action_not_yet"

    def __init__(self, retry_after_us: int) -> None:
        super().__init__("The time of this action has not begun.", retry_after_us)


class ActionCoolingDown(RetryLater):
    """Raised when a player has completed an action too short a time ago."""

    code = "action_cooling_down"

    def __init__(self, retry_after_us: int) -> None:
        super().__init__("This action was completed a moment ago: wait before the next time.", retry_after_us)


class ActionUsedUpToday(RetryLater):
    """Raised when a player has completed an action as often as it counts in a day."""

    code = "action_used_up_today"

    def __init__(self, retry_after_us: int) -> None:
        super().__init__("This action counts no more today.", retry_after_us)


class PlayerBusy(RetryLater):
    """Raised when too many submissions of one player wait at once."""

    code = "player_busy"

    def __init__(self) -> None:
        super().__init__(
            "Too many score updates of this user are waiting: wait for their answers.", 1_000_000
        )


class QueueFull(RetryLater):
    """Raised when more submissions wait than can be written soon."""

    code = "queue_full"

    def __init__(self) -> None:
        super().__init__("Too many score updates are waiting: try again.", 1_000_000)


class StoreUnavailable(RetryLater):
    """Raised when the store cannot be reached or written; nothing was changed."""

    code = "store_unavailable"

    def __init__(self) -> None:
        super().__init__("The store cannot be reached: nothing was changed, try again.", 1_000_000)


class ClockUnsure(RetryLater):
    """Raised when the clock has jumped, until it is known whether the new time is right."""

    code = "clock_unsure"

    def __init__(self, retry_after_us: int) -> None:
        super().__init__("The server's clock has jumped: nothing was changed, try again.", retry_after_us)


class KeysUnavailable(RetryLater):
    """Raised when the keys that verify tokens could not be fetched yet."""

    code = "keys_unavailable"

    def __init__(self) -> None:
        super().__init__("The keys of tokens cannot be had at the moment: try again.", 1_000_000)


class OutcomeUnknown(RetryLater):
    """Raised when a commit's answer was lost and cannot be looked up: the event may be in the ledger."""

    code = "outcome_unknown"

    def __init__(self) -> None:
        super().__init__(
            "Whether this counted is not known: send it again with the same Idempotency-Key.", 1_000_000
        )


class InternalError(ScoreboardError):
    """Represents an unexpected error, which is logged."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("Something went wrong here. It has been logged.")


class RankingUnavailable(ScoreboardError):
    """Raised when the ranking cannot be reached, or has not caught up with its store yet."""

    code = "ranking_unavailable"

    def __init__(self) -> None:
        super().__init__("The ranking is not ready.")
