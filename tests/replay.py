"""A simple fold of a ledger into a board. It shares no code with the product."""

from collections.abc import Sequence

from scoreboard.domain.events import Event


def replay(ledger: Sequence[Event], version: int) -> list[tuple[int, int, int]]:
    """Return the board after `version` events: (rank, player key, score), in order of rank."""
    assert [event.version for event in ledger] == list(range(1, len(ledger) + 1))
    events = ledger[:version]
    scores = dict.fromkeys((event.player for event in events), 0)
    for event in _counted(events):
        scores[event.player] += event.points
    reached = reached_versions(ledger, version)
    banned: set[int] = set()
    hidden: set[int] = set()
    for event in events:
        if event.kind in {"ban", "erase"}:
            banned.add(event.player)
        elif event.kind == "unban":
            banned.remove(event.player)
        elif event.kind == "hide" or event.hides:
            hidden.add(event.player)
        elif event.kind == "show":
            hidden.remove(event.player)
    players = sorted(scores.keys() - banned - hidden, key=lambda player: (-scores[player], reached[player]))
    return [(rank, player, scores[player]) for rank, player in enumerate(players, start=1)]


def reached_versions(ledger: Sequence[Event], version: int) -> dict[int, int]:
    """Return the event that reached each player's score, in the history without the void events.

    A player without counted events reached the score 0 with the first event.
    """
    events = ledger[:version]
    reached: dict[int, int] = {}
    for event in _counted(events):
        if event.points or event.player not in reached:
            reached[event.player] = event.version
    for event in events:
        reached.setdefault(event.player, event.version)
    return reached


def _counted(events: Sequence[Event]) -> list[Event]:
    """Return the awards and adjustments that are not void after these events."""
    void: set[int | None] = set()
    for event in events:
        if event.kind == "void":
            void.add(event.target_version)
        elif event.kind == "unvoid":
            void.remove(event.target_version)
    return [event for event in events if event.kind in {"award", "adjust"} and event.version not in void]
