"""The facts about a batch of submissions, from the rows of a driver's facts statement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.definitions import Definition
from scoreboard.domain.errors import SchemaError
from scoreboard.domain.events import Event, Head
from scoreboard.domain.facts import ActionUse, BatchFacts, SubmissionFacts
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.rollovers import KINDS
from scoreboard.domain.standings import Player, Standing
from scoreboard.domain.submissions import Submission
from scoreboard.store import reads
from scoreboard.store.boards import check_definitions
from scoreboard.store.rejected_content import BoardRedefined
from scoreboard.store.rows import columns_of


@dataclass(frozen=True, slots=True)
class FactsShape:
    """The parts of a facts statement that only some definitions or actions need: the kinds of periods, the
    columns of a standing, and the kinds of periods that limit an action.
    """

    periods: tuple[PeriodKind, ...] = ()
    columns: int = 0
    limiting: tuple[PeriodKind, ...] = ()

    @property
    def standing_columns(self) -> tuple[str, ...]:
        """The columns of a standing that are read."""
        return (*_STANDING, *(f"column_{number}" for number in range(1, self.columns + 1)))

    def selected(self) -> str:
        """Return the columns of a statement whose tables are `head`, `all_standing`, `day_standing`, …"""
        heads = [f"head.{kind} AS head_{kind}" for kind in self.periods]
        standings = [
            f"{which}_standing.{column} AS {which}_{column}"
            for which in (ALL_TIME, *self.periods)
            for column in self.standing_columns
        ]
        return ", ".join(heads + standings)


DEFAULT_SHAPE: Final = FactsShape()
"""The shape for default boards without periods."""


def shape_of(batch: Iterable[Submission], definitions: Mapping[str, Definition]) -> FactsShape:
    """Return the parts that the boards and actions of a batch need."""
    kinds: set[PeriodKind] = set()
    limiting: set[PeriodKind] = set()
    columns = 0
    for submission in batch:
        definition = definitions[submission.board]
        kinds.update(definition.periods)
        limiting.update(submission.action.max_per_period)
        columns = max(columns, len(definition.columns))
    return FactsShape(_in_order(kinds), columns, _in_order(limiting))


def _in_order(kinds: Collection[PeriodKind]) -> tuple[PeriodKind, ...]:
    return tuple(kind for kind in KINDS if kind in kinds)


def idle_boards(
    boards: Collection[str], batch: Sequence[Submission], definitions: Mapping[str, Definition]
) -> Sequence[str]:
    """Return the locked boards with periods that have no submission in the batch: one may end."""
    busy = {submission.board for submission in batch}
    return [board for board in boards if definitions[board].periods and board not in busy]


def check_first_events(
    connection: Connection, facts: BatchFacts, definitions: Mapping[str, Definition]
) -> None:
    """Raise BoardRedefined if another process has changed the definition of a board without events."""
    new = {board: definitions[board] for board, head in facts.heads.items() if not head.version}
    if new:
        try:
            check_definitions(connection, new)
        except SchemaError as error:
            raise BoardRedefined(str(error)) from None


class Row(Protocol):
    """A row whose columns are read by name: asyncpg's `Record`, or SQLAlchemy's `RowMapping`."""

    def __getitem__(self, column: str, /) -> Any: ...


def batch_facts(
    connection: Connection,
    batch: Sequence[Submission],
    rows: Sequence[Row],
    keys: Sequence[int],
    reading_us: int,
    shape: FactsShape,
    idle: Sequence[str] = (),
) -> BatchFacts:
    """Build the facts from one row per submission, and from the players' integer keys.

    `idle` are further locked boards, whose heads are facts, too. Rare facts take further statements: these
    heads, the events of idempotency keys that were used before, and the clock's reading of a head that is
    ahead of the clock.
    """
    heads = {
        row["board"]: Head(row["head_version"], row["head_at_us"], periods=_open_periods(row, shape))
        for row in rows
    }
    heads |= {board: reads.head(connection, board) for board in idle}
    heads |= {
        board: reads.head(connection, board) for board, head in heads.items() if head.at_us > reading_us
    }
    repeated = {
        submission.event_id: reads.event_at(connection, row["repeated_board_key"], row["repeated_version"])
        for row, submission in zip(rows, batch, strict=True)
        if row["repeated_version"] is not None
    }
    facts = [
        _facts(row, submission, key, shape, repeated.get(submission.event_id))
        for row, submission, key in zip(rows, batch, keys, strict=True)
    ]
    return BatchFacts(reading_us, heads, facts)


_NO_PERIODS: Final[Mapping[PeriodKind, str]] = {}


def _open_periods(row: Row, shape: FactsShape) -> Mapping[PeriodKind, str]:
    if not shape.periods:
        return _NO_PERIODS
    return {kind: row[f"head_{kind}"] for kind in shape.periods if row[f"head_{kind}"] is not None}


def _facts(
    row: Row, submission: Submission, key: int, shape: FactsShape, repeated: Event | None
) -> SubmissionFacts:
    # The columns of a player, a standing and a use are null for a new player.
    player = Player(
        key,
        submission.user_id,
        row["name"],
        row["seq"] or 0,
        is_banned=bool(row["is_banned"]),
        is_hidden=bool(row["is_hidden"]),
        is_name_kept=bool(row["is_name_kept"]),
        renames=row["renames"] or 0,
    )
    standings: dict[str, Standing] = {}
    if row["all_score"] is not None:
        standings[ALL_TIME] = _standing(row, ALL_TIME, ALL_TIME, player, shape)
        for kind, period in _open_periods(row, shape).items():
            if row[f"{kind}_score"] is not None:
                standings[period] = _standing(row, kind, period, player, shape)
    return SubmissionFacts(
        player,
        standings,
        ActionUse(
            row["action_seq"] or 0, row["used_at_us"], row["day_limiting_us"], _used_up_periods(row, shape)
        ),
        row["limiting_us"],
        has_required=bool(row["has_required"]),
        repeated=repeated,
        is_proof_used=bool(row["is_proof_used"]),
    )


def _used_up_periods(row: Row, shape: FactsShape) -> frozenset[str]:
    return frozenset(row[f"head_{kind}"] for kind in shape.limiting if row[f"is_{kind}_used_up"])


def _standing(row: Row, which: str, period: str, player: Player, shape: FactsShape) -> Standing:
    return Standing(
        player=player.key,
        user_id=player.user_id,
        name=player.name,
        score=row[f"{which}_score"],
        reached_version=abs(row[f"{which}_tie_order"]),
        reached_at_us=row[f"{which}_reached_at_us"],
        version=row[f"{which}_version"],
        name_version=player.name_version,
        listed=bool(row[f"{which}_listed"]),
        columns=columns_of(*(row[f"{which}_column_{number}"] for number in range(1, shape.columns + 1))),
        period=period,
    )


_STANDING: Final = ("score", "tie_order", "reached_at_us", "version", "listed")
