"""Fill a database with many players, past the API. Each has one event, so that `verify` finds no difference.

The id, name and points of a player follow from its number alone, so a check of a board needs no memory of
them. If the board has periods, all events are in the first ones.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from benchmarks.catalogs import ACTION, BOARD
from benchmarks.options import OnTick
from scoreboard.domain.definitions import SUM_DESCENDING, Definition, to_text
from scoreboard.domain.events import Event, Head
from scoreboard.domain.rollovers import KINDS, roll_over
from scoreboard.store.sqlite import sqlite_file

CHUNK = 50_000
START_US = 1_790_000_000_000_000
MOST_POINTS = 10_000

# Odd multipliers: each number has another id, and neighbours have nothing in common.
_SPREAD_IDS = 0x9E3779B97F4A7C15F39CC0605CEDC835
_SPREAD_POINTS = 0x9E3779B1

EVENT_COLUMNS = (
    "board_key", "version", "event_id", "kind", "player_key", "seq", "action_id", "action_seq", "points",
    "score", "at_us", "period", "boundary_us",
)  # fmt: skip
STANDING_COLUMNS = (
    "board_key", "player_key", "period", "score", "order_1", "tie_order", "reached_at_us", "version",
    "listed",
)  # fmt: skip
COLUMNS: Final = {
    "boards": ("id", "version", "at_us", "fold", *KINDS),
    "players": ("key", "user_id", "name", "seq"),
    "score_events": EVENT_COLUMNS,
    "standings": STANDING_COLUMNS,
}
"""The columns that are filled."""

_NONE: Final = (None, None, None, None)
"""The player and the numbers of an event without a player."""


def user_id(player: int) -> str:
    """Return a UUID as text, the most common form: 36 characters."""
    return str(UUID(int=player * _SPREAD_IDS % 2**128))


def name(player: int) -> str:
    return f"Player {player:05d}"


def points(player: int) -> int:
    return 1 + (player * _SPREAD_POINTS % 2**32 * MOST_POINTS >> 32)


def best(players: int, count: int) -> list[int]:
    """Return the first players of the board before any other event."""
    return heapq.nsmallest(count, range(1, players + 1), key=lambda player: (-points(player), player))


def short_id(player: int) -> str:
    return f"player-{player:07d}"


@dataclass(frozen=True, slots=True)
class Seed:
    """Players on the first board. `start_us` is the time of the first event."""

    players: int
    definition: Definition = SUM_DESCENDING
    start_us: int = START_US
    to_id: Callable[[int], str] = user_id

    @property
    def rollovers(self) -> tuple[tuple[Event, ...], Head]:
        """The events that begin the periods, and the head of the board after them."""
        return roll_over(BOARD, self.definition, Head(0, 0), self.start_us, uuid4)

    def version(self, player: int) -> int:
        """Return the version of the event of a player."""
        return player + len(self.definition.periods)

    def position(self, player: int) -> tuple[int, ...]:
        """Return the position of a player in the order of the board (`Entry.position`)."""
        return -points(player), self.version(player)

    def first_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of the board and its rollovers, by table, in the order of the columns."""
        rollovers, head = self.rollovers
        last = self.version(self.players)
        periods = (head.periods.get(kind) for kind in KINDS)
        return {
            "boards": [(BOARD, last, self.start_us + last, to_text(self.definition), *periods)],
            "score_events": [
                (1, e.version, f"{e.version:032x}", e.kind, *_NONE, 0, 0, e.at_us, e.period, e.boundary_us)
                for e in rollovers
            ],
        }

    def rows(self, numbers: range) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of some players."""
        scored = [(n, self.version(n), points(n), self.start_us + self.version(n)) for n in numbers]
        _, head = self.rollovers
        return {
            "players": [(n, self.to_id(n), name(n), 1) for n in numbers],
            "score_events": [
                (1, version, f"{version:032x}", "award", n, 1, ACTION, 1, p, p, at_us, None, None)
                for n, version, p, at_us in scored
            ],
            "standings": [
                (1, n, period, p, -p, version, at_us, version, True)
                for n, version, p, at_us in scored
                for period in head.open_periods
            ],
        }

    def chunks(self) -> Iterator[range]:
        end = self.players + 1
        return (range(first, min(first + CHUNK, end)) for first in range(1, end, CHUNK))


def seed_sqlite(path: Path, seed: Seed, on_tick: OnTick) -> None:
    """Create the file, with the players on the first board."""
    sqlite_file.migrate(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")

    def insert(rows_by_table: dict[str, list[tuple[Any, ...]]]) -> None:
        connection.execute("BEGIN")
        for table, rows in rows_by_table.items():
            names, values = ", ".join(COLUMNS[table]), ", ".join("?" * len(COLUMNS[table]))
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)
        connection.execute("COMMIT")

    insert(seed.first_rows())
    for numbers in seed.chunks():
        insert(seed.rows(numbers))
        on_tick(numbers[-1] / seed.players)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def seed_postgresql(url: str, seed: Seed, on_tick: OnTick) -> None:
    """Put the players on the first board of a database that has tables and no rows."""
    connection = await asyncpg.connect(url)

    async def insert(rows_by_table: dict[str, list[tuple[Any, ...]]]) -> None:
        for table, rows in rows_by_table.items():
            await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])

    try:
        # Skips the flush of each chunk, and the foreign-key checks: the rows are known to be consistent.
        await connection.execute("SET synchronous_commit = off")
        await connection.execute("SET session_replication_role = replica")
        await insert(seed.first_rows())
        for numbers in seed.chunks():
            await insert(seed.rows(numbers))
            on_tick(numbers[-1] / seed.players)
        await connection.execute(f"SELECT setval('players_key_seq', {seed.players})")
        # The state of a database that has been in use for a while.
        await connection.execute("VACUUM (ANALYZE) players, score_events, standings")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
