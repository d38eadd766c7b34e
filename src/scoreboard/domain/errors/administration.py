"""Errors of corrections and of look-ups by administrators."""

from scoreboard.domain.errors.base import RequestError


class UnknownPlayer(RequestError):
    """Raised if no player has this user id: it has never scored, or was erased."""

    code = "unknown_player"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"There is no player “{user_id}”.")


class UnknownEvent(RequestError):
    """Raised if a board has no event with this version."""

    code = "unknown_event"

    def __init__(self, board: str, version: int) -> None:
        super().__init__(f"Board “{board}” has no event {version}.")


class EventNotVoidable(RequestError):
    """Raised if an event has no points of its own."""

    code = "event_not_voidable"
    detail = (
        "Only an award or an adjustment can be voided. Undo a void with an unvoid, and a ban with an unban."
    )


class NotAdjustable(RequestError):
    """Raised if an adjustment is for a board whose values are not only sums."""

    code = "not_adjustable"
    detail = "Points cannot be added on this board: void the wrong event, and submit the right value."


class NameKept(RequestError):
    """Raised if a trusted server renames a player whose name an administrator has set."""

    code = "name_kept"
    detail = "An operator has set this player's name: ask for its release first."
