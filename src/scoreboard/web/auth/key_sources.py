"""Sources of the keys that verify tokens: the settings, or a key set (JWKS, RFC 7517) at a URL.

Each key is for one algorithm, so a token cannot make the server use a public key as a secret.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from scoreboard.domain.plain_text import printable
from scoreboard.ports.clock import Clock
from scoreboard.resilience.shared_call import SharedCall
from scoreboard.web.auth.key_set import ASYMMETRIC, HS256, Key, UnusableKey, read_key_set
from scoreboard.web.auth.key_set_download import download

REFRESH_SECONDS: Final = 3_600.0
"""The time between two downloads. A withdrawn key is valid for up to this long."""

RETRY_SECONDS: Final = 60.0
"""The shortest time between two downloads for tokens with an unknown `kid`, which any client can invent."""

FIRST_RETRY_SECONDS: Final = 5.0
"""The time between two downloads until the first keys arrive. Until then, tokens cannot be verified."""

log = structlog.get_logger()


class Keys:
    """The keys of the settings. The first one signs, if it is a secret."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._fixed = tuple(keys)
        self.generation = 0
        """Changes whenever the keys change."""

    @property
    def is_complete(self) -> bool:
        """True once all keys are known."""
        return True

    def now(self) -> Sequence[Key]:
        """Return the current keys."""
        return self._fixed

    async def refresh(self) -> bool:
        """Download the keys again for a token with an unknown `kid`. Return True if they changed."""
        return False

    async def tick(self) -> float | None:
        """Download the keys. Return the seconds until the next download, or None."""
        return None


def secrets(*values: bytes) -> list[Key]:
    """Return the keys of secrets. The first one signs. The others are previous secrets."""
    return [Key(HS256, value) for value in values]


class JwksKeys(Keys):
    """The keys of a key set, and those of the settings. If a download fails, the last good key set stays."""

    def __init__(
        self, url: str, algorithms: Sequence[str], clock: Clock, *, fixed: Sequence[Key] = ()
    ) -> None:
        super().__init__(fixed)
        self._url = url
        self._algorithms = frozenset(algorithms) & frozenset(ASYMMETRIC)
        self._keys: Sequence[Key] = ()
        self._skipped: Sequence[UnusableKey] = ()
        self._is_current = False
        self._download_keys = SharedCall(self._download, monotonic=clock.monotonic)

    @property
    def is_complete(self) -> bool:
        return bool(self._keys)

    def now(self) -> Sequence[Key]:
        return (*self._fixed, *self._keys)

    async def tick(self) -> float:
        """Download the key set at start and every hour, and more often while it is unusable."""
        await self._download_keys.run()
        if not self._keys:
            return FIRST_RETRY_SECONDS
        return REFRESH_SECONDS if self._is_current else RETRY_SECONDS

    async def refresh(self) -> bool:
        generation = self.generation
        await self._download_keys.run(max_age_seconds=RETRY_SECONDS)
        return self.generation != generation

    async def _download(self) -> None:
        self._is_current = False
        try:
            document = await download(self._url)
            # In a thread, because checking 50 keys takes longer than the event loop may be blocked.
            keys, skipped = await asyncio.to_thread(read_key_set, document, self._algorithms)
        except Exception as error:  # noqa: BLE001
            log.warning(
                "the key set is not usable: the last good keys stay", reason=printable(str(error))[:300]
            )
            return
        for one in skipped:
            if one not in self._skipped:
                log.warning("a key of the key set is skipped", key=one.key, reason=one.reason)
        self._skipped = skipped
        if not keys:
            # With an empty set, no token would be valid.
            log.warning("the key set has no usable key: the last good keys stay")
            return
        self._is_current = True
        if keys != self._keys:
            self._keys = keys
            self.generation += 1
            log.info("the key set has changed", keys=len(keys))
