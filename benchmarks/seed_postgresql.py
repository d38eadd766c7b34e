"""A database with many players, written past the API: each has one event, so that `verify` finds it whole.

Who a player is and what it scored follows from its number alone, so whoever checks a board needs no memory of them.
"""

import heapq
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from benchmarks.options import OnTick
from benchmarks.seed import CHUNK, MOST_POINTS, START_US
from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.standings import Standing

# Odd multipliers: each number has another id, and neighbours have nothing in common.
_SPREAD_IDS = 0x9E3779B97F4A7C15F39CC0605CEDC835
_SPREAD_POINTS = 0x9E3779B1


def user_id(player: int) -> str:
    """As most systems make them: a UUID as text, 36 characters."""
    return str(UUID(int=player * _SPREAD_IDS % 2**128))


def name(player: int) -> str:
    """Some twelve characters."""
    return f"Player {player:05d}"


def points(player: int) -> int:
    return 1 + (player * _SPREAD_POINTS % 2**32 * MOST_POINTS >> 32)


def best(players: int, count: int) -> list[int]:
    """The first of the board, before anything else has happened."""
    return heapq.nsmallest(count, range(1, players + 1), key=lambda player: (-points(player), player))


def standing(player: int) -> Standing:
    return Standing(
        player=player,
        user_id=user_id(player),
        name=name(player),
        score=points(player),
        reached_version=player,
        reached_at_us=START_US + player,
        version=player,
        seq=1,
    )


async def seed(url: str, players: int, on_tick: OnTick) -> None:
    """Put this many players on the first board of a database that is empty but for its tables."""
    connection = await asyncpg.connect(url)
    try:
        # Neither a flush a chunk nor a look-up of each player for each reference: all of it is ours.
        await connection.execute("SET synchronous_commit = off")
        await connection.execute("SET session_replication_role = replica")
        board = await connection.fetchval(
            "INSERT INTO boards (id, version, at_us) VALUES ('main', $1, $2) RETURNING key",
            players,
            START_US + players,
        )
        for first in range(1, players + 1, CHUNK):
            numbers = range(first, min(first + CHUNK, players + 1))
            for table, rows in _rows(board, numbers).items():
                await connection.copy_records_to_table(table, records=rows, columns=COLUMNS.get(table))
            on_tick(numbers[-1] / players)
        await connection.execute(f"SELECT setval('players_key_seq', {players})")
        # As a database is that has had them for a while.
        await connection.execute("VACUUM (ANALYZE) players, score_events, standings")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


COLUMNS: Final = {
    "players": ("key", "user_id", "name", "seq"),
    "score_events": (
        "board_key", "version", "event_id", "kind", "player_key", "seq", "action_id", "action_seq", "points", "score",
        "at_us",
    ),
}  # fmt: skip
"""Of tables that have more of them than are filled here."""


def _rows(board: int, numbers: range) -> dict[str, Sequence[tuple[Any, ...]]]:
    """Of each table, in the order of its columns."""
    scored = [(n, points(n), START_US + n) for n in numbers]
    return {
        "players": [(n, user_id(n), name(n), 1) for n in numbers],
        "score_events": [
            (board, n, f"{n:032x}", "award", n, 1, "complete-quest", 1, p, p, at_us) for n, p, at_us in scored
        ],
        "standings": [(board, ALL_TIME, n, p, n, at_us, n, True) for n, p, at_us in scored],
    }
