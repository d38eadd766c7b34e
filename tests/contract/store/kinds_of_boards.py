"""Boards that are not the default one, and submissions with values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from scoreboard.domain.boards import ActionColumn, Board
from scoreboard.domain.decisions import Decision
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort, Ties
from scoreboard.domain.periods import PeriodKind
from scoreboard.domain.queries import Page, Query
from scoreboard.domain.standings import Entry
from scoreboard.domain.submissions import Submission
from scoreboard.ports.admin_store import AdminStore
from scoreboard.ports.store import Store
from scoreboard.services.verify import verify
from tests.making import MAIN, QUEST, SIDE, UNLIMITED, decide_with, submission

LAP = Column("lap", Sort.ASCENDING, Aggregation.BEST)
PITS = Column("pits", Sort.ASCENDING, Aggregation.SUM)

BEST_LAP = Definition(Aggregation.BEST, Sort.ASCENDING, ties=Ties.SHARED)
RATING = Definition(Aggregation.LATEST, ties=Ties.LATEST)
RACE = Definition(Aggregation.SUM, columns=(LAP, PITS))
EVENTS = Definition(Aggregation.BEST, columns=(replace(LAP, aggregation=Aggregation.BEST),))
ALL_ROWS = Page(100)
EVERY_KIND = tuple(PeriodKind)


def board(definition: Definition) -> Board:
    """Return the main board with another definition."""
    return replace(MAIN, definition=definition)


def at(text: str) -> int:
    """Return a time in microseconds."""
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def value(user_id: str, points: int, *columns: int) -> Submission:
    """Return a submission with a value, and one for each column of the board."""
    action = replace(
        QUEST, columns=tuple(ActionColumn(f"column-{n}", number) for n, number in enumerate(columns))
    )
    return replace(submission(user_id, action), stated_points=points)


async def submit(store: Store, own: Board, *batch: Submission) -> Decision:
    """Commit a batch, or without submissions only the periods that have begun."""
    return await store.commit({"main"}, lambda: batch, decide_with(UNLIMITED, (own, SIDE)))


async def rows(store: Store, query: Query = ALL_ROWS, period: str = "all") -> Sequence[Entry]:
    return (await store.read("main", period, query)).entries


async def shown(store: Store, query: Query = ALL_ROWS, period: str = "all") -> list[tuple[object, ...]]:
    """Return the rank, user id and values of each row."""
    return [(e.rank, e.user_id, e.score, *e.columns) for e in await rows(store, query, period)]


async def check(store: AdminStore) -> None:
    """Check that `verify` finds no differences on the main board."""
    assert (await verify(store, None, "main", lambda *_: None)).differences == ()
