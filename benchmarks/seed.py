"""A database with many players, written past the API: each has one event, so that `verify` finds it whole."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from scoreboard.store.sqlite import file as sqlite_file

CHUNK = 50_000
START_US = 1_790_000_000_000_000
MOST_POINTS = 10_000


def seed(path: Path, players: int, on_tick: Callable[[float], None]) -> None:
    """Make the file with this many players on the first board."""
    sqlite_file.migrate(path)
    random = Random(1)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("INSERT INTO boards (key, id, version, at_us) VALUES (1, 'main', 0, 0)")
    for first in range(1, players + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, players + 1))
        points = [random.randint(1, MOST_POINTS) for _ in numbers]
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO players (key, user_id, name, seq) VALUES (?, ?, ?, 1)",
            ((n, f"player-{n:07d}", f"Player {n}") for n in numbers),
        )
        connection.executemany(
            "INSERT INTO score_events (board_key, version, event_id, kind, player_key, seq, action_id, action_seq,"
            " points, score, at_us) VALUES (1, ?, ?, 'award', ?, 1, 'complete-quest', 1, ?, ?, ?)",
            ((n, f"{n:032x}", n, p, p, START_US + n) for n, p in zip(numbers, points, strict=True)),
        )
        connection.executemany(
            "INSERT INTO standings VALUES (1, 'all', ?, ?, ?, ?, ?, 1)", _standings(numbers, points)
        )
        connection.execute("UPDATE boards SET version = ?, at_us = ?", (numbers[-1], START_US + numbers[-1]))
        connection.execute("COMMIT")
        on_tick(numbers[-1] / players)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _standings(numbers: range, points: list[int]) -> Iterator[tuple[int, ...]]:
    return ((n, p, n, START_US + n, n) for n, p in zip(numbers, points, strict=True))
