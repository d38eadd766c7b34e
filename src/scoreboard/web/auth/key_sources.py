"""Where the keys that verify tokens come from: settings, a PEM file, or a JWKS address (RFC 7517).

A key says which algorithm it is for, and verifies no other: no token can have a public key taken for a secret.
`key_set` reads them.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from scoreboard.domain.plain_text import printable
from scoreboard.ports.clock import Clock
from scoreboard.resilience.coalescing_cache import CoalescingCache
from scoreboard.web.auth.key_set import ASYMMETRIC, HS256, Key, Skipped, read_key_set
from scoreboard.web.auth.key_set_download import download

REFRESH_SECONDS: Final = 3_600.0
"""How long a set is kept before it is fetched again by itself: a key that was withdrawn is no longer good then."""

RETRY_SECONDS: Final = 60.0
"""At least between two fetches, whatever tokens come: an unknown `kid` can be made up by anybody."""

FIRST_RETRY_SECONDS: Final = 5.0
"""The pause between two fetches until the first keys arrive: until then, tokens are not verified."""

log = structlog.get_logger()


class Keys(Protocol):
    """Those that are good at the moment. `generation` is another one whenever they have changed."""

    generation: int

    @property
    def is_complete(self) -> bool:
        """Whether all of them could be had at least once."""

    def now(self) -> Sequence[Key]:
        """All that are there."""

    async def refresh(self) -> bool:
        """There is a token of a key that is not among them: whether there are other ones now."""

    async def tick(self) -> float | None:
        """Refetch the keys. Return the time until they have to be refetched again, or None."""


class FixedKeys:
    """Those of the settings. The first one signs, if it is a secret."""

    is_complete = True

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)
        self.generation = 0

    def now(self) -> Sequence[Key]:
        return self._keys

    async def refresh(self) -> bool:
        return False

    async def tick(self) -> None:
        return


def secrets(*values: bytes) -> list[Key]:
    """Secrets, of which the first one signs: the others are those that were used before."""
    return [Key(HS256, value) for value in values]


class JwksKeys:
    """A fetched key set, together with the keys from the settings. The last good set stays if a fetch fails."""

    def __init__(
        self,
        url: str,
        algorithms: Sequence[str],
        clock: Clock,
        *,
        fixed: Sequence[Key] = (),
    ) -> None:
        self._url = url
        self._fixed = tuple(fixed)
        self._algorithms = frozenset(algorithms) & frozenset(ASYMMETRIC)
        self._keys: Sequence[Key] = ()
        self._skipped: Sequence[Skipped] = ()
        self._is_current = False
        self._fetching = CoalescingCache(self._fetch, monotonic=clock.monotonic)
        self.generation = 0

    @property
    def is_complete(self) -> bool:
        return bool(self._keys)

    def now(self) -> Sequence[Key]:
        return (*self._fixed, *self._keys)

    async def tick(self) -> float:
        """Fetch the set at start and every hour, and more often while it is unusable."""
        await self._fetching.get()
        if not self._keys:
            return FIRST_RETRY_SECONDS
        return REFRESH_SECONDS if self._is_current else RETRY_SECONDS

    async def refresh(self) -> bool:
        generation = self.generation
        await self._fetching.get(max_age_seconds=RETRY_SECONDS)
        return self.generation != generation

    async def _fetch(self) -> None:
        self._is_current = False
        try:
            document = await download(self._url)
            # In a thread, because checking 50 keys takes longer than the event loop may be blocked.
            keys, skipped = await asyncio.to_thread(read_key_set, document, self._algorithms)
        except Exception as error:  # noqa: BLE001
            log.warning(
                "the key set cannot be used: the last good keys stay", reason=printable(str(error))[:300]
            )
            return
        for one in skipped:
            if one not in self._skipped:
                log.warning("a key of the key set is skipped", key=one.key, reason=one.reason)
        self._skipped = skipped
        if not keys:
            # An empty set, too: it is treated as an error, since no token would be valid.
            log.warning("the key set has no usable key: the last good keys stay")
            return
        self._is_current = True
        if keys != self._keys:
            self._keys = keys
            self.generation += 1
            log.info("the key set was fetched", keys=len(keys))
