"""Boards, actions and rate limits of the catalog."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

MAX_SCORE: Final = 2**53 - 1
"""The largest integer that every JSON reader and every Redis sorted set keeps exactly (RFC 8259, section 6)."""

ALL_TIME: Final = "all"
"""The one period that standings are kept for so far."""

UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Board:
    """A board of the catalog. Its days begin at midnight in its time zone."""

    id: str
    title: str
    timezone: ZoneInfo = UTC


@dataclass(frozen=True, slots=True)
class Action:
    """Something that users complete, what it is worth, the board that it counts on, and when it may be claimed.

    Where there is a range of points, a trusted server says what one claim is worth within it. `for_players` is whether
    players may claim it themselves, `needs_proof` whether they have to show a trusted server's proof then. `requires`
    names an action that has to have been completed before.
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


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `count` accepted submissions of one player in any `window_us` microseconds."""

    count: int
    window_us: int
