"""The order of one board in one period, in memory."""

from sortedcontainers import SortedList

from scoreboard.domain.definitions import Definition, Ties
from scoreboard.domain.ordering import ranks
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players, Query, first_index_around
from scoreboard.domain.standings import Entry, Standing
from scoreboard.ranking.order_keys import OrderKeys

_Row = tuple[int | None, int, int]
"""A standing: its key in the order (None if it is not listed), `reached_at_us`, version.

Rows and names, of which there may be a million, are plain tuples: Python's garbage collector skips them.
"""

Names = dict[int, tuple[int, str, str | None]]
"""`name_version`, user id and name by player key. All boards share them, so every board shows a new name."""


class View:
    """The standings of a board in a period, in order."""

    __slots__ = ("_definition", "_is_shared", "_keys", "_names", "_order", "_rows")

    def __init__(self, definition: Definition, names: Names) -> None:
        self._definition = definition
        self._is_shared = definition.ties is Ties.SHARED
        self._keys = OrderKeys(definition)
        self._names = names
        self._rows: dict[int, _Row] = {}
        self._order = SortedList()

    @property
    def players(self) -> int:
        """The number of listed players."""
        return len(self._order)

    def move(self, standing: Standing) -> None:
        """Move a player to a newer standing. An older one changes nothing."""
        old_key, _, old_version = self._rows.get(standing.player, (None, 0, 0))
        if old_version > standing.version:
            return
        if old_key is not None:
            self._order.remove(old_key)
        key = self._keys.encode(standing) if standing.listed else None
        if key is not None:
            self._order.add(key)
        self._rows[standing.player] = (key, standing.reached_at_us, standing.version)

    def rank(self, player: int) -> int | None:
        """Return a player's rank, or None if the player is not listed."""
        key, *_ = self._rows.get(player, (None,))
        if key is None:
            return None
        if self._is_shared:
            key = self._keys.first_equal(key)
        return 1 + int(self._order.bisect_left(key))

    def entries(self, query: Query) -> tuple[Entry, ...]:
        """Return the rows that answer a query."""
        if isinstance(query, Page):
            return self._page(query.offset, query.limit)
        match query:
            case After(position, limit):
                return self._page(self._order.bisect_right(self._keys.last_at(position)), limit)
            case Around(player, limit):
                key, *_ = self._rows.get(player, (None,))
                if key is None:
                    return ()
                index = self._order.bisect_left(key)
                return self._page(first_index_around(index, limit, self.players), limit)
            case Players(players):
                rows = (self._rows.get(player, (None,)) for player in set(players))
                keys = sorted(key for key, *_ in rows if key is not None)
            case AtRanks(wanted):
                keys = [self._order[rank - 1] for rank in sorted(set(wanted)) if 0 < rank <= self.players]
        return tuple(self._entry(self._rank_of(key), key) for key in keys)

    def remove(self, rows: int) -> bool:
        """Remove some rows. Return True if there are more."""
        for _ in range(min(rows, len(self._order))):
            self._order.pop()
        for _ in range(min(rows, len(self._rows))):
            self._rows.popitem()
        return bool(self._rows)

    def _page(self, first_index: int, limit: int) -> tuple[Entry, ...]:
        keys = list(self._order.islice(first_index, first_index + limit))
        if not self._is_shared or not keys:
            return tuple(self._entry(rank, key) for rank, key in enumerate(keys, start=first_index + 1))
        values = [self._keys.values(key) for key in keys]
        shared = ranks(self._definition, values, self._rank_of(keys[0]), first_index)
        return tuple(map(self._entry, shared, keys))

    def _rank_of(self, key: int) -> int:
        if self._is_shared:
            key = self._keys.first_equal(key)
        return 1 + int(self._order.bisect_left(key))

    def _entry(self, rank: int, key: int) -> Entry:
        player, score, columns, position = self._keys.decode(key)
        _, reached_at_us, _ = self._rows[player]
        _, user_id, name = self._names[player]
        return Entry(rank, user_id, name, score, reached_at_us, columns, position)
