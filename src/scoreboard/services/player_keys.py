"""The integer keys of players, by which rankings and stores are asked."""

from collections.abc import Sequence
from typing import Final

from scoreboard.ports.store import Store
from scoreboard.services.minimum_versions import MinimumVersions

CACHED_KEYS: Final = 50_000
"""About 10 MB."""


class PlayerKeys:
    """The keys of players. They are cached until a correction, which may be an erasure: the user id of an
    erased player may get another key later.
    """

    def __init__(self, store: Store, minimum: MinimumVersions) -> None:
        self._store = store
        self._minimum = minimum
        self._increases = minimum.increases
        self._known: dict[str, int] = {}

    async def of(self, user_ids: Sequence[str]) -> dict[str, int]:
        """Return the keys of those of the users who are known. Raises StoreUnavailable."""
        if self._increases != self._minimum.increases:
            self._increases = self._minimum.increases
            self._known.clear()
        keys = {user_id: self._known[user_id] for user_id in user_ids if user_id in self._known}
        if missing := [user_id for user_id in user_ids if user_id not in keys]:
            found = await self._store.player_keys(missing)
            if len(self._known) + len(found) > CACHED_KEYS:
                self._known.clear()
            self._known.update(found)
            keys.update(found)
        return keys
