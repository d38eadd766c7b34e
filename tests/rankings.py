"""Reads of a ranking."""

from scoreboard.domain.boards import ALL_TIME
from scoreboard.domain.queries import Players
from scoreboard.ports.ranking import Ranking


async def rank_of(ranking: Ranking, player: int, board: str = "main", period: str = ALL_TIME) -> int | None:
    """Return a player's rank, or None if the player is not listed."""
    found = await ranking.read(board, period, Players((player,)))
    return found.entries[0].rank if found.entries else None
