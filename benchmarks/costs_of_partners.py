"""The unit costs of PostgreSQL and Redis, measured with the drivers in this process, past the API."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from time import process_time
from uuid import uuid4

from benchmarks.catalogs import BOARD
from benchmarks.deployment import PREFIX, Deployment
from benchmarks.options import Figures
from benchmarks.seed import name, user_id
from scoreboard.domain.boards import ALL_TIME, Action, Board
from scoreboard.domain.queries import Page
from scoreboard.domain.rate_limit import RateLimit
from scoreboard.domain.rules import DecisionInputs, decide_batch
from scoreboard.domain.submissions import Submission
from scoreboard.ranking.redis.ranking import RedisRanking
from scoreboard.services.group_commit import BATCH_SIZE
from scoreboard.store.postgresql.postgresql_database import DatabaseLimits
from scoreboard.store.postgresql.store import PostgresqlStore

ACTION = Action("complete-quest", BOARD, 50, "Complete a quest")
UNLIMITED = RateLimit(1_000_000, 60_000_000)
INPUTS = DecisionInputs({BOARD: Board(BOARD, BOARD)}, UNLIMITED, uuid4)
PATIENT = DatabaseLimits(connections=3, silence_seconds=30, lock_seconds=30, statement_seconds=30)

TURNS = {1: 1_000, BATCH_SIZE: 60}
"""The number of batches by size: a few seconds of each."""

LOOKS = 3_000
BOARDS = 5_000

Used = Callable[[], Mapping[str, float]]
"""Returns the CPU seconds that PostgreSQL and Redis have used."""


def database_bytes(deployment: Deployment) -> Mapping[str, int]:
    """Return the size of each table, with its indexes."""
    rows = deployment.database.sql(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
    )
    return {row[0]: row[1] for row in rows}


def ledger_bytes(deployment: Deployment) -> tuple[int, int]:
    """Return the size of the ledger's rows, and of its indexes."""
    (row,) = deployment.database.sql("SELECT pg_table_size('score_events'), pg_indexes_size('score_events')")
    return row[0], row[1]


def redis_bytes(deployment: Deployment) -> tuple[int, int]:
    """Return the bytes of the board's positions, and of the players' ids and names."""
    places = names = 0
    with deployment.redis.client() as client:
        for key in client.scan_iter(f"{PREFIX}:*", count=1_000):
            size = int(client.memory_usage(key, samples=0))
            if "@players" in key:
                names += size
            else:
                places += size
    return places, names


async def of_partners(deployment: Deployment, used: Used, scorers: Sequence[int]) -> Figures:
    """Measure a batch, an update in it, the poll of an instance, and the read of a board."""
    found: Figures = {}
    store = PostgresqlStore(deployment.database.url(), limit=UNLIMITED, clock=None, limits=PATIENT)
    async with store, deployment.ranking() as ranking:
        # Opens the connections before anything is measured.
        await store.heads()
        found |= await _turns(store, ranking, used, scorers)
        before = used()
        for _ in range(LOOKS):
            await store.heads()
        found["postgres_us_a_look"] = 1e6 * (used()["postgres"] - before["postgres"]) / LOOKS
        before = used()
        for _ in range(BOARDS):
            await ranking.read(BOARD, ALL_TIME, Page(10))
        found["redis_us_a_board"] = 1e6 * (used()["redis"] - before["redis"]) / BOARDS
    return found


async def _turns(
    store: PostgresqlStore, ranking: RedisRanking, used: Used, scorers: Sequence[int]
) -> Figures:
    """Commit batches of one and of the largest size, and return the line through both: per batch and per
    update.

    While a batch holds its board, either this process or PostgreSQL works. The board is held for their CPU
    time, plus flush and network.
    """
    users = cycle(scorers)
    await store.register_boards(())
    processor: dict[int, dict[str, float]] = {}
    for size, turns in TURNS.items():
        own, before = 0.0, used()
        for _ in range(turns):
            batch = [_submission(player) for player in islice(users, size)]
            begun = process_time()
            decision = await store.commit(
                {BOARD},
                partial(_as_it_is, batch),
                partial(decide_batch, inputs=INPUTS),
            )
            own += process_time() - begun
            for change in decision.changes:
                await ranking.apply(change)
        of_partners = {what: now - before[what] for what, now in used().items()}
        of_all = {**of_partners, "turn": own + of_partners["postgres"]}
        processor[size] = {what: 1e6 * seconds / turns for what, seconds in of_all.items()}
    found: Figures = {}
    for what, one in processor[1].items():
        an_update = (processor[BATCH_SIZE][what] - one) / (BATCH_SIZE - 1)
        found |= {f"{what}_us_a_turn": one - an_update, f"{what}_us_an_update": an_update}
    found["turn_ms"] = found.pop("turn_us_a_turn") / 1_000
    return found


def _submission(player: int) -> Submission:
    return Submission(uuid4(), user_id(player), name(player), ACTION)


def _as_it_is(batch: Sequence[Submission]) -> Sequence[Submission]:
    return batch
