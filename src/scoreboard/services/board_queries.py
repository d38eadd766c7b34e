"""Questions about a player or a rank: each answer is one state of the board, with its version."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Final

from scoreboard.domain.boards import Board
from scoreboard.domain.errors import RankingUnavailable
from scoreboard.domain.events import NO_PLAYER
from scoreboard.domain.periods import Period
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players
from scoreboard.domain.standings import Entry, Snapshot
from scoreboard.ports.store import Store
from scoreboard.services.board_periods import View
from scoreboard.services.minimum_versions import MinimumVersions
from scoreboard.services.player_keys import PlayerKeys
from scoreboard.services.read_boards import BoardReader

TRIES: Final = 5
"""Answers that need a second read are tried again if the board has changed between the two."""


@dataclass(frozen=True, slots=True)
class PlayerRank:
    """A player's row, and the rows next to it. `next` is the nearest row with a better rank.

    Of a player who is not on the board, `entry` is None, and `above` has the last rows.
    """

    snapshot: Snapshot
    entry: Entry | None
    above: tuple[Entry, ...]
    below: tuple[Entry, ...] = ()
    next: Entry | None = None


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The rows at some ranks, and at some percentages of all players with their ranks.

    A row is None if the board has fewer players.
    """

    snapshot: Snapshot
    ranks: tuple[tuple[int, Entry | None], ...]
    percents: tuple[tuple[Fraction, int, Entry | None], ...]


class BoardQueries:
    """Answers questions about players and ranks. All methods raise StoreUnavailable, RankingUnavailable."""

    def __init__(self, reader: BoardReader, store: Store, minimum: MinimumVersions) -> None:
        self._reader = reader
        self._keys = PlayerKeys(store, minimum)

    async def open_periods(self, board: Board) -> tuple[Period, ...]:
        """Return the open period of each kind that the board has (`BoardPeriods.open_periods`)."""
        return await self._reader.periods.open_periods(board)

    async def view(self, board: Board, period: str, ago: int = 0) -> View:
        """Return the view of a period (`BoardPeriods.view`). Raises UnknownPeriod."""
        return await self._reader.periods.view(board, period, ago)

    async def after(self, view: View, position: tuple[int, ...] | None, limit: int) -> Snapshot:
        """Return the rows after a position, or the first rows."""
        query = Page(limit) if position is None else After(position, limit)
        return await self._reader.read(view.board.id, view.period, query)

    async def around(self, view: View, user_id: str, limit: int) -> Snapshot:
        """Return the rows around a player: none if the player is not on the board."""
        key = (await self._keys.of([user_id])).get(user_id, NO_PLAYER)
        snapshot = await self._reader.read(view.board.id, view.period, Around(key, limit))
        is_found = any(entry.user_id == user_id for entry in snapshot.entries)
        return snapshot if is_found else replace(snapshot, entries=())

    async def players(self, view: View, user_ids: Sequence[str]) -> Snapshot:
        """Return the rows of those of the users who are on the board."""
        keys = await self._keys.of(user_ids)
        query = Players(tuple(keys.values())) if keys else Around(NO_PLAYER, 1)
        snapshot = await self._reader.read(view.board.id, view.period, query)
        # An erased player has another user id.
        return replace(snapshot, entries=tuple(entry for entry in snapshot.entries if entry.user_id in keys))

    async def rank(self, view: View, user_id: str, neighbours: int) -> PlayerRank:
        """Return a player's rank, and so many rows above and below."""
        for _ in range(TRIES):
            around = await self.around(view, user_id, 2 * neighbours + 1)
            own = next(
                (index for index, entry in enumerate(around.entries) if entry.user_id == user_id), None
            )
            found = (
                await self._last_rows(view, around, neighbours)
                if own is None
                else await self._rank(view, around, own, neighbours)
            )
            if found is not None:
                return found
        raise RankingUnavailable

    async def _rank(self, view: View, around: Snapshot, own: int, neighbours: int) -> PlayerRank | None:
        """Return the rank of the row at an index, or None if the board has changed meanwhile."""
        entry, above = around.entries[own], around.entries[:own]
        better = next((each for each in reversed(above) if each.rank < entry.rank), None)
        if better is None and entry.rank > 1:
            # All rows that were read share the rank.
            found = await self._reader.read(view.board.id, view.period, AtRanks((entry.rank - 1,)))
            if found.version != around.version or not found.entries:
                return None
            better = found.entries[0]
        return PlayerRank(
            around,
            entry,
            above[max(0, own - neighbours) :],
            around.entries[own + 1 : own + 1 + neighbours],
            better,
        )

    async def _last_rows(self, view: View, around: Snapshot, rows: int) -> PlayerRank | None:
        """Return the last rows, or None if the board has changed meanwhile."""
        if not rows:
            return PlayerRank(around, None, ())
        page = Page(rows, max(0, around.players - rows))
        tail = await self._reader.read(view.board.id, view.period, page)
        return PlayerRank(tail, None, tail.entries) if tail.version == around.version else None

    async def cutoffs(self, view: View, ranks: Sequence[int], percents: Sequence[Fraction]) -> Cutoffs:
        """Return the rows at ranks, and at percentages of all players."""
        players = 0
        for number in range(TRIES):
            if percents and number == 0:
                empty = await self._reader.read(view.board.id, view.period, Around(NO_PLAYER, 1))
                players = empty.players
            at = [min(players, max(1, ceil(players * percent / 100))) for percent in percents]
            asked = sorted({rank for rank in (*ranks, *at) if rank})
            query = AtRanks(tuple(asked)) if asked else Around(NO_PLAYER, 1)
            snapshot = await self._reader.read(view.board.id, view.period, query)
            if not percents or snapshot.players == players:
                found = dict(zip(asked, snapshot.entries, strict=False))
                return Cutoffs(
                    snapshot,
                    tuple((rank, found.get(rank)) for rank in ranks),
                    tuple(
                        (percent, rank, found.get(rank)) for percent, rank in zip(percents, at, strict=True)
                    ),
                )
            players = snapshot.players
        raise RankingUnavailable
