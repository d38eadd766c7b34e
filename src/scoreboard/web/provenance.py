"""Where a submission came from, as the ledger keeps it: alike for the same client, and telling nobody who that is."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from starlette.types import Scope

from scoreboard.domain.digests import keyed_hash
from scoreboard.domain.submissions import Caller, Provenance

KEPT_HASHES: Final = 20_000
"""Of addresses and agents that have scored lately (~200 bytes each)."""


class ProvenanceHasher:
    """Hashes addresses and user agents; without a key, only tokens are told apart."""

    def __init__(self, key: bytes | None, address: Callable[[Scope], str | None]) -> None:
        self._key = key
        self._address = address
        # Whoever scores comes again, and browsers are few.
        self._hash = lru_cache(KEPT_HASHES)(partial(keyed_hash, key or b""))

    def of(self, scope: Scope, caller: Caller, agent: bytes | None) -> Provenance:
        """What is kept of a request."""
        if self._key is None:
            return Provenance(caller.token_id)
        address = self._address(scope)
        return Provenance(
            token_id=caller.token_id,
            address_hash=None if address is None else self._hash(f"address {address}"),
            agent_hash=None if agent is None else self._hash(f"agent {agent.decode('latin-1')}"),
        )
