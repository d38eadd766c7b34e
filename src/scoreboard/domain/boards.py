"""The boards and actions of a catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from scoreboard.domain.definitions import SUM_DESCENDING, UTC, Definition
from scoreboard.domain.periods import PeriodKind

MAX_SCORE: Final = 2**53 - 1
"""The largest integer that is exact in every JSON reader (RFC 8259, section 6) and in Redis's sorted sets."""

ALL_TIME: Final = "all"
"""The period of the standings that never restart."""

DEFAULT_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class Board:
    """A board. `decimals` and `unit` are for the display: scores are integers.

    `rows` are those of its stream, and of a page by default. It accepts submissions from `opens_at_us` until
    `closes_at_us`.
    """

    id: str
    title: str
    definition: Definition = SUM_DESCENDING
    decimals: int = 0
    unit: str | None = None
    rows: int = DEFAULT_ROWS
    opens_at_us: int | None = None
    closes_at_us: int | None = None

    @property
    def column_ids(self) -> tuple[str, ...]:
        """The ids of its columns."""
        return tuple(column.id for column in self.definition.columns)

    @property
    def timezone(self) -> ZoneInfo:
        """The time zone of its days."""
        return self.definition.timezone


@dataclass(frozen=True, slots=True)
class ActionColumn:
    """The value of an action for a column of its board. Without a `value`, each submission states one in the
    range.
    """

    id: str
    value: int | None = None
    range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """An action that users complete: its points, the board on which it counts, and the rules for it.

    If it has a range of points, a trusted server states the points of each submission, and must if `points`
    is None. `columns` has one value for each column of the board. Only trusted servers submit it if
    `for_players` is False. If it `needs_proof`, players must send a trusted server's proof. `requires` names
    an action that the player must have completed before.
    """

    id: str
    board: str
    points: int | None
    title: str
    points_range: tuple[int, int] | None = None
    enabled: bool = True
    for_players: bool = True
    cooldown_us: int | None = None
    max_per_day: int | None = None
    max_total: int | None = None
    max_per_period: Mapping[PeriodKind, int] = field(default_factory=dict)
    valid_from_us: int | None = None
    valid_until_us: int | None = None
    requires: str | None = None
    timezone: ZoneInfo = UTC
    needs_proof: bool = False
    columns: tuple[ActionColumn, ...] = ()

    @property
    def needs_no_server(self) -> bool:
        """True if players can submit it without the values or a proof of a trusted server."""
        has_values = self.points is not None and all(column.value is not None for column in self.columns)
        return self.for_players and not self.needs_proof and has_values
