"""The boards and actions of a catalog."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

MAX_SCORE: Final = 2**53 - 1
"""The largest integer that is exact in every JSON reader (RFC 8259, section 6) and in Redis's sorted sets."""

ALL_TIME: Final = "all"
"""The only period of standings so far."""

UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Board:
    """A board. Its days begin at midnight in its time zone."""

    id: str
    title: str
    timezone: ZoneInfo = UTC


@dataclass(frozen=True, slots=True)
class Action:
    """An action that users complete: its points, the board on which it counts, and the rules for it.

    If it has a range of points, a trusted server states the points of each submission. Only trusted servers
    submit it if `for_players` is False. If it `needs_proof`, players must send a trusted server's proof.
    `requires` names an action that the player must have completed before.
    """

    id: str
    board: str
    points: int
    title: str
    points_range: tuple[int, int] | None = None
    enabled: bool = True
    for_players: bool = True
    cooldown_us: int | None = None
    max_per_day: int | None = None
    max_total: int | None = None
    valid_from_us: int | None = None
    valid_until_us: int | None = None
    requires: str | None = None
    timezone: ZoneInfo = UTC
    needs_proof: bool = False
