"""Where the keys that verify tokens come from: settings, a PEM file, or a JWKS address (RFC 7517).

A key says which algorithm it is for, and verifies no other: no token can have a public key taken for a secret.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, Protocol

import jwt
import structlog
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import get_default_algorithms

from scoreboard.errors import StartError
from scoreboard.interfaces import Clock
from scoreboard.web.fetching import fetch

HS256: Final = "HS256"
ASYMMETRIC: Final = ("RS256", "ES256", "EdDSA")

REFRESH_SECONDS: Final = 3_600.0
"""How long a set is kept before it is fetched again by itself: a key that was withdrawn is no longer good then."""

RETRY_SECONDS: Final = 60.0
"""At least between two fetches, whatever tokens come: an unknown `kid` can be made up by anybody."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Key:
    """What verifies (and, if it is a secret, signs) tokens of one algorithm."""

    algorithm: str
    value: Any
    kid: str | None = None


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

    async def run(self) -> None:
        """Keep them up to date, as long as the server runs."""


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

    async def run(self) -> None:
        return


def secrets(*values: bytes) -> list[Key]:
    """Secrets, of which the first one signs: the others are those that were used before."""
    return [Key(HS256, value) for value in values]


def read_pem(path: Path, algorithms: Sequence[str]) -> Key:
    """A public key. Raises StartError, with what to do."""
    try:
        value = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StartError(f"{path} is no public key as PEM ({error}): check SCOREBOARD_JWT_PUBLIC_KEYS.") from error
    for algorithm in algorithms:
        if algorithm in ASYMMETRIC and _fits(algorithm, value):
            return Key(algorithm, value)
    raise StartError(f"{path} is a key for none of {', '.join(algorithms)}: set SCOREBOARD_JWT_ALGORITHMS.")


def _fits(algorithm: str, value: Any) -> bool:
    try:
        get_default_algorithms()[algorithm].prepare_key(value)
    except (TypeError, ValueError, jwt.InvalidKeyError):
        return False
    return algorithm != "ES256" or getattr(getattr(value, "curve", None), "name", None) == "secp256r1"


class JwksKeys:
    """A set that is fetched, and kept where it cannot be fetched again; beside it, keys of the settings."""

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
        self._clock = clock
        self._keys: tuple[Key, ...] = ()
        self._tried_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()
        self.generation = 0

    @property
    def is_complete(self) -> bool:
        return bool(self._keys)

    def now(self) -> Sequence[Key]:
        return (*self._fixed, *self._keys)

    async def run(self) -> None:
        """Fetch at the start, and now and then, for ever."""
        while True:
            await self._fetch_anew()
            await asyncio.sleep(REFRESH_SECONDS if self._keys else RETRY_SECONDS)

    async def refresh(self) -> bool:
        generation = self.generation
        async with self._one_at_a_time:
            if self.generation == generation and self._clock.monotonic() - self._tried_at >= RETRY_SECONDS:
                await self._fetch_locked()
        return self.generation != generation

    async def _fetch_anew(self) -> None:
        async with self._one_at_a_time:
            await self._fetch_locked()

    async def _fetch_locked(self) -> None:
        self._tried_at = self._clock.monotonic()
        try:
            keys = self._read(await asyncio.to_thread(fetch, self._url))
        except (OSError, HTTPException, ValueError, TypeError, jwt.PyJWTError) as error:
            log.warning("the keys of tokens cannot be fetched: the last good ones are kept", reason=str(error))
            return
        if keys != self._keys:
            self._keys = keys
            self.generation += 1
            log.info("the keys of tokens were fetched", keys=len(keys))

    def _read(self, document: bytes) -> tuple[Key, ...]:
        """Raises ValueError where there is none of use: an empty set is somebody's mistake, and would lock all out."""
        keys = []
        for entry in json.loads(document)["keys"]:
            if entry.get("use", "sig") != "sig" or entry.get("kty") == "oct":
                continue
            try:
                parsed = jwt.PyJWK.from_dict(entry)
            except jwt.PyJWTError:
                # One of a kind that we do not know: the others may be good.
                continue
            if parsed.algorithm_name in self._algorithms:
                keys.append(Key(parsed.algorithm_name, parsed.key, parsed.key_id))
        if not keys:
            raise ValueError("no key of the algorithms that SCOREBOARD_JWT_ALGORITHMS names")
        return tuple(keys)
