"""Boards that were seen while scores came in, and what they should have been: the ledger, replayed to their version."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.client import Sent
from benchmarks.seed_postgresql import best, name, points, user_id
from tests.servers.postgresql import Postgres

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Scored:
    """An event that was added to the seeded ones."""

    version: int
    player: int
    user_id: str
    name: str
    points: int


def added(database: Postgres, seeded: int) -> list[Scored]:
    """The ledger after the seeded events, in order."""
    rows = database.sql(
        "SELECT e.version, e.player_key, p.user_id, p.name, e.points FROM score_events e "
        "JOIN players p ON p.key = e.player_key WHERE e.version > $1 ORDER BY e.version",
        seeded,
    )
    return [Scored(*row) for row in rows]


def wrong(seen: Sequence[Sequence[Sent]], seeded: int, events: Sequence[Scored]) -> int:
    """How many of the boards that instances have shown, one after another, are not the ledger at their version.

    Or older than one that the same instance has shown before.
    """
    boards = [[json.loads(sent.body) for sent in of_instance] for of_instance in seen]
    right = dict(_replay(seeded, events, {board["version"] for shown in boards for board in shown}))
    count = 0
    for shown in boards:
        newest = 0
        for board in shown:
            version = board["version"]
            count += version < newest or right.get(version) != _told(board)
            newest = max(newest, version)
    return count


Told = tuple[int, list[tuple[int, str, str, int]]]


def _told(board: Mapping[str, object]) -> Told:
    entries = board["entries"]
    assert isinstance(entries, list)
    players = board["players"]
    assert isinstance(players, int)
    return players, [(entry["rank"], entry["userId"], entry["name"], entry["score"]) for entry in entries]


def _replay(seeded: int, events: Sequence[Scored], versions: set[int]) -> Iterator[tuple[int, Told]]:
    """How many players there are and the first ten, at each of these versions that there was.

    Points are only added. So nobody can be among the ten but those who have scored, and the best of the others.
    """
    scorers = {event.player for event in events}
    possible = {player for player in scorers if player <= seeded} | {*best(seeded, SHOWN + len(scorers))}
    scores = {player: (-points(player), player) for player in possible}
    who = {player: (user_id(player), name(player)) for player in possible}
    who.update((event.player, (event.user_id, event.name)) for event in events)
    players = seeded
    # The event that leads to each version, and none to the seeded one.
    for version, event in [(seeded, None), *((event.version, event) for event in events)]:
        if event is not None:
            players += event.player not in scores
            score, _ = scores.get(event.player, (0, 0))
            scores[event.player] = (score - event.points, event.version)
        if version in versions:
            first = sorted(scores, key=scores.__getitem__)[:SHOWN]
            yield version, (players, [(r, *who[p], -scores[p][0]) for r, p in enumerate(first, start=1)])
