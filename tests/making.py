"""Short functions that create the values of tests."""

from collections.abc import Sequence
from itertools import count
from uuid import UUID, uuid4

from scoreboard.domain.boards import ALL_TIME, Action, Board
from scoreboard.domain.digests import Digest
from scoreboard.domain.events import Event
from scoreboard.domain.queries import Page
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.rules import DecisionInputs, decide_batch
from scoreboard.domain.standings import Change, ChangeKind, Standing
from scoreboard.domain.submissions import Proof, Submission
from scoreboard.ports.ranking import Ranking
from scoreboard.ports.store import DecideBatch, Store

MAIN = Board("main", "Main")
SIDE = Board("side", "Side")
DEFINITIONS = {board.id: board.definition for board in (MAIN, SIDE)}
QUEST = Action("quest", "main", 50, "Quest")
DUEL = Action("duel", "main", 30, "Duel")
VISIT = Action("visit", "side", 5, "Visit")

UNLIMITED = RateLimit(1_000_000, 60_000_000)
TEN_A_MINUTE = RateLimit(10, 60_000_000)

_ids = count(1)


def submission(
    user_id: str = "ada", action: Action = QUEST, name: str | None = None, key: int | None = None
) -> Submission:
    """`key` stands for the digest of an idempotency key."""
    return Submission(UUID(int=next(_ids)), user_id, name, action, None if key is None else digest(key))


def digest(current: int, *earlier: int) -> Digest:
    return Digest(UUID(int=current), tuple(UUID(int=value).bytes for value in earlier))


def proof(current: int, *earlier: int) -> Proof:
    return Proof("ada", "quest", digest(current, *earlier))


def rules(limit: RateLimit = UNLIMITED, boards: Sequence[Board] = (MAIN, SIDE)) -> DecisionInputs:
    return DecisionInputs({board.id: board for board in boards}, limit, uuid4)


def decide_with(limit: RateLimit = UNLIMITED, boards: Sequence[Board] = (MAIN, SIDE)) -> DecideBatch:
    return lambda batch, facts: decide_batch(batch, facts, rules(limit, boards))


async def commit(store: Store, *batch: Submission, limit: RateLimit = UNLIMITED) -> list[Event]:
    """Commit a batch. Return its new events."""
    return list((await store.commit({one.board for one in batch}, lambda: batch, decide_with(limit))).events)


def standing(
    player: int,
    score: int,
    version: int,
    *columns: int,
    reached_version: int | None = None,
    listed: bool = True,
    period: str = ALL_TIME,
) -> Standing:
    return Standing(
        player=player,
        user_id=f"user-{player}",
        name=None,
        score=score,
        reached_version=version if reached_version is None else reached_version,
        reached_at_us=version * 1_000,
        version=version,
        name_version=version,
        listed=listed,
        columns=columns,
        period=period,
    )


def change(
    kind: ChangeKind,
    from_version: int,
    to_version: int,
    *standings: Standing,
    periods: tuple[str, ...] = (ALL_TIME,),
) -> Change:
    return Change("main", kind, from_version, to_version, to_version * 1_000, standings, periods)


async def check_copy(ranking: Ranking, store: Store, rows: int = 100) -> None:
    """Check that the first rows of the main board are the same in the ranking and in the store."""
    page = Page(rows)
    assert await ranking.read("main", ALL_TIME, page) == await store.read("main", ALL_TIME, page)
