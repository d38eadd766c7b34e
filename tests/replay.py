"""What a board must be: the plainest reading of the ledger, which shares no code with the product."""

from collections.abc import Sequence

from scoreboard.model import Event


def replay(ledger: Sequence[Event], version: int) -> list[tuple[int, int, int]]:
    """The board after `version` events: (rank, the player's integer key, score), best first."""
    assert [event.version for event in ledger] == list(range(1, len(ledger) + 1))
    scores: dict[int, int] = {}
    reached: dict[int, int] = {}
    away: set[int] = set()
    for event in ledger[:version]:
        scores[event.player] = scores.get(event.player, 0) + event.points
        if event.points or event.player not in reached:
            reached[event.player] = event.version
        if event.kind in {"ban", "erase"}:
            away.add(event.player)
        elif event.kind == "unban":
            away.remove(event.player)
    players = sorted(scores.keys() - away, key=lambda player: (-scores[player], reached[player]))
    return [(rank, player, scores[player]) for rank, player in enumerate(players, start=1)]
