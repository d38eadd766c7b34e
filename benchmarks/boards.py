"""Compare the boards seen during a fill with the ledger, replayed to their versions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.client import Sent
from benchmarks.seed import best, name, points, user_id
from tests.servers.postgresql import Postgres

SHOWN = 10

Board = tuple[int, list[tuple[int, str, str, int]]]
"""The number of players, and for each shown player the rank, user id, name and score."""


def added(database: Postgres, seeded: int) -> Sequence[Any]:
    """Return the events after the seeded ones, in order, as rows with named columns."""
    return database.sql(
        "SELECT e.version, e.player_key, p.user_id, p.name, e.points FROM score_events e "
        "JOIN players p ON p.key = e.player_key WHERE e.version > $1 ORDER BY e.version",
        seeded,
    )


def wrong(seen: Sequence[Sequence[Sent]], seeded: int, events: Sequence[Any]) -> int:
    """Count the boards that differ from the ledger, or are older than one seen before on that instance."""
    boards = [[json.loads(sent.body) for sent in of_instance] for of_instance in seen]
    right = dict(_replay(seeded, events, {board["version"] for shown in boards for board in shown}))
    count = 0
    for shown in boards:
        newest = 0
        for board in shown:
            version = board["version"]
            count += version < newest or right.get(version) != _board(board)
            newest = max(newest, version)
    return count


def _board(shown: Any) -> Board:
    keys = ("rank", "userId", "name", "score")
    return shown["players"], [tuple(entry[key] for key in keys) for entry in shown["entries"]]


def _replay(seeded: int, events: Sequence[Any], versions: set[int]) -> Iterator[tuple[int, Board]]:
    """Yield the board at each of these versions.

    Points are only added, so the top ten are among the players who have scored and the best of the others.
    """
    scorers = {event["player_key"] for event in events}
    possible = {player for player in scorers if player <= seeded} | {*best(seeded, SHOWN + len(scorers))}
    scores = {player: (-points(player), player) for player in possible}
    who = {player: (user_id(player), name(player)) for player in possible}
    who.update((event["player_key"], (event["user_id"], event["name"])) for event in events)
    players = seeded
    for version, event in [(seeded, None), *((event["version"], event) for event in events)]:
        if event is not None:
            players += event["player_key"] not in scores
            score, _ = scores.get(event["player_key"], (0, 0))
            scores[event["player_key"]] = (score - event["points"], version)
        if version in versions:
            first = sorted(scores, key=scores.__getitem__)[:SHOWN]
            yield version, (players, [(r, *who[p], -scores[p][0]) for r, p in enumerate(first, start=1)])
