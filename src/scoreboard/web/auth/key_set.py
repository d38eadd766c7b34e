"""Keys that verify tokens, and parsers for a PEM file and a JSON Web Key Set (RFC 7517).

A key set is untrusted input. Its usable keys are returned, and all others are reported. (`PyJWKSet` skips
unusable keys without a report, and accepts weak ones.)
"""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import get_default_algorithms

from scoreboard.domain.errors import StartError
from scoreboard.domain.plain_text import check_text, printable
from scoreboard.settings.file_permissions import check_writers

HS256: Final = "HS256"
ASYMMETRIC: Final = ("RS256", "ES256", "EdDSA")

MAX_KEYS: Final = 50
"""Keys of one set. A token without `kid` is verified with each of them, so more would be slow."""

MAX_CHARACTERS: Final = 2_800
"""Characters of one value of a key: the modulus of a 16,384-bit RSA key in base64."""

RSA_BITS: Final = range(2_048, 8_193)
"""Shorter keys can be factored in time (RFC 7518, section 3.3, asks for 2,048); longer ones verify slowly."""

RSA_EXPONENTS: Final = range(65_537, 2**64)
"""FIPS 186-5 requires more than 2**16. With a long modulus, OpenSSL does not accept larger ones."""

_SMALL_FACTORS: Final = 2 * math.prod(range(3, 1_000, 2))

_EDWARDS_PRIMES: Final = {32: 2**255 - 19, 57: 2**448 - 2**224 - 1}
"""The primes of Ed25519 and Ed448, by the bytes of a public key."""

_SMALL_ORDER: Final = (
    0,
    1,
    -1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
)
"""The y coordinates, modulo the prime, of the points with an order of at most 8 (the last two are of
Ed25519). Anyone can sign for such a key."""

_KINDS: Final[dict[str, set[tuple[str, str | None]]]] = {
    "RS256": {("RSA", None)},
    "ES256": {("EC", "P-256")},
    "EdDSA": {("OKP", "Ed25519"), ("OKP", "Ed448")},
}
"""`kty` and `crv` of the keys for each algorithm."""

_PUBLIC_VALUES: Final = ("crv", "n", "e", "x", "y")
_SECRET_VALUES: Final = ("d", "p", "q", "k")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that verifies (and, if it is a secret, signs) tokens of one algorithm."""

    algorithm: str
    value: Any
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class UnusableKey:
    """A key of a set that is not used, and the reason."""

    key: str
    reason: str


def read_key_set(document: bytes, algorithms: Collection[str]) -> tuple[Sequence[Key], Sequence[UnusableKey]]:
    """Return the usable keys and the skipped keys of a key set. Raises ValueError if it is not a key set."""
    try:
        # Numbers are ignored. Parsed as float, an integer of thousands of digits does not fail the whole set.
        entries = json.loads(document, parse_int=float)["keys"]
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the response is not a JSON object with “keys” ({type(error).__name__})") from error
    if not isinstance(entries, list):
        raise ValueError("“keys” is not a list")  # noqa: TRY004  # The document's value is wrong, not a type in this program.
    keys: list[Key] = []
    skipped: list[UnusableKey] = []
    for number, entry in enumerate(entries[:MAX_KEYS], start=1):
        try:
            key = _read_key(entry, algorithms)
        except Exception as error:  # noqa: BLE001  # A key may raise any error in a library. Skip only that key.
            skipped.append(
                UnusableKey(_name(entry, number), printable(str(error))[:200] or type(error).__name__)
            )
        else:
            if key not in keys:
                keys.append(key)
    if len(entries) > MAX_KEYS:
        skipped.append(
            UnusableKey(f"number {MAX_KEYS + 1} and all later ones", f"the set has {len(entries)} keys")
        )
    return keys, skipped


def read_pem(path: Path, algorithms: Sequence[str]) -> Key:
    """Return the public key of a file. Raises StartError, with a remedy."""
    try:
        check_writers(path, "the public key")
        value = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise StartError(
            f"{path} is not a public key in PEM format ({error}): check SCOREBOARD_JWT_PUBLIC_KEYS."
        ) from error
    try:
        _check_strength(value)
    except ValueError as error:
        raise StartError(
            f"{path} is a weak key ({error}): create a new one for SCOREBOARD_JWT_PUBLIC_KEYS."
        ) from error
    for algorithm in algorithms:
        if algorithm in ASYMMETRIC and _fits(algorithm, value):
            return Key(algorithm, value)
    raise StartError(f"{path} is a key for none of {', '.join(algorithms)}: set SCOREBOARD_JWT_ALGORITHMS.")


def _read_key(entry: object, algorithms: Collection[str]) -> Key:
    """Return one key. Raises ValueError with the reason, or any error of the libraries."""
    if not isinstance(entry, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004
    kid = entry.get("kid")
    if kid is not None:
        check_text(_text(entry, "kid"), MAX_CHARACTERS)
    if not entry.keys().isdisjoint(_SECRET_VALUES):
        raise ValueError("it has secret values, so anyone who can read the set can sign with it")
    if entry.get("use") not in (None, "sig"):
        raise ValueError("“use” is not “sig”")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("“key_ops” does not have “verify”")
    values = {name: _text(entry, name) for name in _PUBLIC_VALUES if name in entry}
    algorithm = _algorithm(entry, values.get("crv"))
    if algorithm not in algorithms:
        raise ValueError(f"it is for {algorithm}, which SCOREBOARD_JWT_ALGORITHMS does not have")
    value = jwt.PyJWK.from_dict({"kty": entry["kty"], **values}, algorithm).key
    _check_strength(value)
    if not _fits(algorithm, value):
        raise ValueError(f"it cannot verify {algorithm}")
    return Key(algorithm, value, kid)


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise ValueError(f"“{name}” is not a text of at most {MAX_CHARACTERS} characters")
    return value


def _algorithm(entry: dict[str, Any], curve: str | None) -> str:
    """Return the algorithm of a key. Its type decides, and `alg` must match."""
    kind = (_text(entry, "kty"), curve)
    algorithm = next((name for name, kinds in _KINDS.items() if kind in kinds), None)
    if algorithm is None:
        raise ValueError("“kty” and “crv” name no supported type of key")
    if entry.get("alg") not in (None, algorithm):
        raise ValueError(f"“alg” is not {algorithm}")
    return algorithm


def _check_strength(value: object) -> None:
    """Raise ValueError for a key that is too weak, or too slow to verify with."""
    if isinstance(value, Ed25519PublicKey | Ed448PublicKey):
        encoded = value.public_bytes_raw()
        prime = _EDWARDS_PRIMES[len(encoded)]
        y = int.from_bytes(encoded, "little") % 2 ** (8 * len(encoded) - 1)
        if y % prime in {small % prime for small in _SMALL_ORDER}:
            raise ValueError("its point has a small order, so anyone can sign for it")
    if not isinstance(value, RSAPublicKey):
        return
    numbers = value.public_numbers()
    if value.key_size not in RSA_BITS:
        raise ValueError(
            f"an RSA key needs {RSA_BITS.start:,} to {RSA_BITS.stop - 1:,} bits, and has {value.key_size:,}"
        )
    if numbers.e not in RSA_EXPONENTS or numbers.e % 2 == 0:
        raise ValueError("an RSA key needs an odd public exponent of 65,537 or more, below 2**64")
    if math.gcd(numbers.n, _SMALL_FACTORS) != 1:
        raise ValueError("the modulus of the RSA key has a small factor")


def _fits(algorithm: str, value: Any) -> bool:
    """Return True if a key works for an algorithm. A trial verification finds keys that raise errors."""
    if algorithm == "ES256" and getattr(getattr(value, "curve", None), "name", None) != "secp256r1":
        return False
    verifier = get_default_algorithms()[algorithm]
    try:
        return not verifier.verify(b"a trial", verifier.prepare_key(value), bytes(64))
    except (TypeError, ValueError, jwt.InvalidKeyError):
        return False


def _name(entry: object, number: int) -> str:
    """Return the name of a key for the log: its `kid` if it is readable, or its number in the set."""
    kid = entry.get("kid") if isinstance(entry, dict) else None
    return (printable(kid)[:64] if isinstance(kid, str) else "") or f"number {number}"
