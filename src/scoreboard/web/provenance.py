"""The provenance of a submission: hashes by which the ledger recognises a client without identifying it."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from starlette.types import Scope

from scoreboard.domain.digests import keyed_hash
from scoreboard.domain.submissions import Caller, Provenance

CACHED_HASHES: Final = 20_000
"""Hashes of recent addresses and user agents (about 200 bytes each), because players repeat them."""


class ProvenanceHasher:
    """Hashes client addresses and user agents. Without a key, the provenance is only the token's id."""

    def __init__(self, key: bytes | None, client_address: Callable[[Scope], str | None]) -> None:
        self._key = key
        self._client_address = client_address
        self._hash = lru_cache(CACHED_HASHES)(partial(keyed_hash, key or b""))

    def of(self, scope: Scope, caller: Caller, user_agent: bytes | None) -> Provenance:
        """Return the provenance of a request."""
        if self._key is None:
            return Provenance(caller.token_id)
        address = self._client_address(scope)
        return Provenance(
            token_id=caller.token_id,
            address_hash=None if address is None else self._hash(f"address {address}"),
            agent_hash=None if user_agent is None else self._hash(f"agent {user_agent.decode('latin-1')}"),
        )
