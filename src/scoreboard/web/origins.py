"""Where a submission came from, as the ledger keeps it: alike for the same client, and telling nobody who that is."""

from collections.abc import Callable

from starlette.types import Scope

from scoreboard.digests import keyed_hash
from scoreboard.model import Caller, Origin


class Origins:
    """Hashes addresses and user agents; without a key, only tokens are told apart."""

    def __init__(self, key: bytes | None, address: Callable[[Scope], str | None]) -> None:
        self._key = key
        self._address = address

    def of(self, scope: Scope, caller: Caller, agent: bytes | None) -> Origin:
        """What is kept of a request."""
        if self._key is None:
            return Origin(caller.token_id)
        address = self._address(scope)
        return Origin(
            token_id=caller.token_id,
            address_hash=None if address is None else keyed_hash(self._key, f"address {address}"),
            agent_hash=None if agent is None else keyed_hash(self._key, f"agent {agent.decode('latin-1')}"),
        )
