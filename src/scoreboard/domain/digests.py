"""Keyed digests: fixed-size values that replace data which the database must not reveal."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

BYTES: Final = 16
"""The size of a digest: that of a UUID, which is what databases keep it as."""

_PURPOSE: Final = b"ledger digests"
"""The `person` parameter of BLAKE2: other uses of the same secret derive other keys."""


class Digest(NamedTuple):
    """`current` is written to the ledger. An older event may have one of the `earlier` values instead."""

    current: UUID
    earlier: tuple[bytes, ...] = ()


class Digests:
    """Compute the digests of idempotency keys and proofs.

    They are keyed (BLAKE2b): a reader of the ledger who does not know the secret cannot test user ids against
    them. The first secret makes new digests. Digests of the other secrets, and the unkeyed ones of earlier
    versions, are still looked up. Without any secret, digests are unkeyed.
    """

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        keys = [
            blake2b(secret, digest_size=32, person=_PURPOSE).digest() for secret in dict.fromkeys(secrets)
        ]
        self._key, *self._earlier_keys = keys or [b""]

    def submission(self, user_id: str, key: str, *, is_server: bool) -> Digest:
        """Digest an idempotency key of a caller. Servers and users with the same id have different keys."""
        return self._digest(("submission", "server" if is_server else "user", user_id, key), (user_id, key))

    def correction(self, actor: str, key: str) -> Digest:
        """Digest an idempotency key of an administrator."""
        return self._digest(("correction", actor, key), ("correction", actor, key))

    def proof(self, issuer: str, user_id: str, proof_id: str) -> Digest:
        """Digest a proof, by its claims `iss`, `sub` and `jti`."""
        return self._digest(("proof", issuer, user_id, proof_id), ("proof", issuer, user_id, proof_id))

    def _digest(self, parts: tuple[str, ...], unkeyed: tuple[str, ...]) -> Digest:
        text = _joined(parts)
        earlier = [blake2b(text, key=key, digest_size=BYTES).digest() for key in self._earlier_keys]
        earlier.append(blake2b(_joined(unkeyed), digest_size=BYTES).digest())
        return Digest(UUID(bytes=blake2b(text, key=self._key, digest_size=BYTES).digest()), tuple(earlier))


def _joined(parts: tuple[str, ...]) -> bytes:
    # No id contains NUL. An `iss` may be any text, even invalid Unicode.
    return "\0".join(parts).encode(errors="surrogatepass")


def keyed_hash(key: bytes, text: str) -> int:
    """Return a keyed hash of 64 bits, signed like a database integer."""
    return int.from_bytes(
        blake2b(text.encode(errors="replace"), key=key[:64], digest_size=8).digest(), signed=True
    )
