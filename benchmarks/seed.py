"""Fill a database with many players, past the API. Each has one event, so that `verify` finds no difference.

The id, name and points of a player follow from its number alone, so a check of a board needs no memory of
them.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from benchmarks.options import OnTick
from scoreboard.domain.boards import ALL_TIME
from scoreboard.store.sqlite import sqlite_file

CHUNK = 50_000
START_US = 1_790_000_000_000_000
MOST_POINTS = 10_000

# Odd multipliers: each number has another id, and neighbours have nothing in common.
_SPREAD_IDS = 0x9E3779B97F4A7C15F39CC0605CEDC835
_SPREAD_POINTS = 0x9E3779B1

EVENT_COLUMNS = (
    "board_key", "version", "event_id", "kind", "player_key", "seq", "action_id", "action_seq", "points",
    "score", "at_us",
)  # fmt: skip
STANDING_COLUMNS = (
    "board_key", "player_key", "period", "score", "order_1", "tie_order", "reached_at_us", "version",
    "listed",
)  # fmt: skip
COLUMNS: Final = {
    "players": ("key", "user_id", "name", "seq"),
    "score_events": EVENT_COLUMNS,
    "standings": STANDING_COLUMNS,
}
"""The columns that are filled."""


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


def seed_sqlite(path: Path, players: int, on_tick: OnTick) -> None:
    """Create the file, with the players on the first board. Ids are shorter than those in PostgreSQL."""
    sqlite_file.migrate(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("INSERT INTO boards (key, id, version, at_us) VALUES (1, 'main', 0, 0)")
    for numbers in _chunks(players):
        connection.execute("BEGIN")
        for table, rows in _rows(1, numbers, "player-{:07d}".format).items():
            names = ", ".join(COLUMNS[table])
            values = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)
        connection.execute("UPDATE boards SET version = ?, at_us = ?", (numbers[-1], START_US + numbers[-1]))
        connection.execute("COMMIT")
        on_tick(numbers[-1] / players)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def seed_postgresql(url: str, players: int, on_tick: OnTick) -> None:
    """Put the players on the first board of a database that has tables and no rows."""
    connection = await asyncpg.connect(url)
    try:
        # Skips the flush of each chunk, and the foreign-key checks: the rows are known to be consistent.
        await connection.execute("SET synchronous_commit = off")
        await connection.execute("SET session_replication_role = replica")
        board = await connection.fetchval(
            "INSERT INTO boards (id, version, at_us) VALUES ('main', $1, $2) RETURNING key",
            players,
            START_US + players,
        )
        for numbers in _chunks(players):
            for table, rows in _rows(board, numbers, user_id).items():
                await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])
            on_tick(numbers[-1] / players)
        await connection.execute(f"SELECT setval('players_key_seq', {players})")
        # The state of a database that has been in use for a while.
        await connection.execute("VACUUM (ANALYZE) players, score_events, standings")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _chunks(players: int) -> Iterator[range]:
    return (range(first, min(first + CHUNK, players + 1)) for first in range(1, players + 1, CHUNK))


def _rows(board: int, numbers: range, to_id: Callable[[int], str]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each table, in the order of its columns."""
    scored = [(n, points(n), START_US + n) for n in numbers]
    return {
        "players": [(n, to_id(n), name(n), 1) for n in numbers],
        "score_events": [
            (board, n, f"{n:032x}", "award", n, 1, "complete-quest", 1, p, p, at_us) for n, p, at_us in scored
        ],
        "standings": [(board, n, ALL_TIME, p, -p, n, at_us, n, True) for n, p, at_us in scored],
    }
