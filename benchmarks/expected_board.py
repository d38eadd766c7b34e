"""What a board must show at each version: a fold of the ledger, by a model of this package."""

import heapq
import json
from collections.abc import Sequence

from benchmarks.client import Sent
from benchmarks.deployment import Deployment
from benchmarks.seed import Seed, best, points

ROWS = 10

Row = tuple[str, int]
"""A user id and a score."""

_LEDGER = """
    SELECT e.version, e.points, e.player_key, p.user_id FROM score_events e
      JOIN players p ON p.key = e.player_key WHERE e.version > $1 ORDER BY e.version
"""


def wrong_boards(deployment: Deployment, seed: Seed, reads: Sequence[Sent]) -> int:
    """Count the answers whose first rows are not those of the board after the first `version` events.

    All events are awards in the periods that are open, so all of them have the same rows.
    """
    answers = [json.loads(read.body) for read in reads if read.status == 200]
    wanted = {answer["version"] for answer in answers}
    rows = _rows_at(deployment, seed, wanted)
    return sum(
        [(entry["userId"], entry["score"]) for entry in answer["entries"]] != rows.get(answer["version"])
        for answer in answers
    )


def _rows_at(deployment: Deployment, seed: Seed, versions: set[int]) -> dict[int, list[Row]]:
    """Return the first rows at some versions, of which none is before the last version of the seed."""
    # Scores only grow, so the others can be passed only by players with further events.
    first = best(seed.players, ROWS)
    standings = {player: (points(player), seed.version(player), seed.to_id(player)) for player in first}
    last = seed.version(seed.players)
    rows = {last: _first_rows(standings)}
    for version, gained, player, user_id in deployment.database.sql(_LEDGER, last, database=deployment.name):
        seeded = points(player) if player <= seed.players else 0
        score, *_ = standings.get(player, (seeded,))
        standings[player] = (score + gained, version, user_id)
        if version in versions:
            rows[version] = _first_rows(standings)
    return rows


def _first_rows(standings: dict[int, tuple[int, int, str]]) -> list[Row]:
    first = heapq.nsmallest(ROWS, standings.values(), key=lambda standing: (-standing[0], standing[1]))
    return [(user_id, score) for score, _, user_id in first]
