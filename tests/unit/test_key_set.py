"""Parsing of untrusted key sets: invalid and weak keys are skipped, and the others are used."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from math import gcd, prod
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms
from structlog.testing import capture_logs

from scoreboard.domain.errors import StartError
from scoreboard.web.auth.key_set import ASYMMETRIC, MAX_KEYS, read_key_set, read_pem
from scoreboard.web.auth.key_sources import RETRY_SECONDS, JwksKeys
from tests.clocks import HeldClock
from tests.key_server import publishing

Jwk = dict[str, Any]


def jwk_of(key: Any, algorithm: str, **changed: Any) -> Jwk:
    found: Jwk = get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    return {**found, **changed}


RSA: Final = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
GOOD: Final = jwk_of(RSA, "RS256", kid="rsa", use="sig", alg="RS256", key_ops=["verify"])
CURVE: Final = jwk_of(ec.generate_private_key(ec.SECP256R1()), "ES256", kid="curve")
EDWARDS: Final = jwk_of(ed25519.Ed25519PrivateKey.generate(), "EdDSA", kid="edwards")


def number(value: int) -> str:
    return urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8 or 1)).rstrip(b"=").decode()


def edwards(curve: str, point: bytes) -> Jwk:
    return {"kty": "OKP", "crv": curve, "x": urlsafe_b64encode(point).rstrip(b"=").decode()}


SMALL_ORDER: Final = [
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "00" * 31 + "80",
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
]

ODD: Final = prod(range(3, 1_000, 2))
MODULUS: Final = RSA.public_key().public_numbers().n

INVALID: Final[dict[str, Any]] = {
    **{f"Ed25519 of a small order, {number}": edwards("Ed25519", x) for number, x in enumerate(SMALL_ORDER)},
    "Ed448 of order 1": edwards("Ed448", b"\1" + bytes(56)),
    "Ed448 of order 4": edwards("Ed448", bytes(57)),
    "a text": "x",
    "null": None,
    "a list": [GOOD],
    "nothing": {},
    "kid is a list": {**GOOD, "kid": ["a"]},
    "kid is a number": {**GOOD, "kid": 7},
    "kid is an object": {**GOOD, "kid": {}},
    "kid has a lone surrogate": {**GOOD, "kid": "\ud800"},
    "kid has a line": {**GOOD, "kid": "a\nb"},
    "kid is very long": {**GOOD, "kid": "a" * 10_000},
    "alg is a list": {**GOOD, "alg": []},
    "alg is a number": {**GOOD, "alg": 256},
    "alg is none": {**GOOD, "alg": "none"},
    "alg of another family": {**GOOD, "alg": "ES256"},
    "alg of another hash": {**GOOD, "alg": "RS512"},
    "alg of another padding": {**GOOD, "alg": "PS256"},
    "alg of a secret": {**GOOD, "alg": "HS256"},
    "use is a list": {**GOOD, "use": ["sig"]},
    "for encryption": {**GOOD, "use": "enc"},
    "key_ops is a text": {**GOOD, "key_ops": "verify"},
    "key_ops for signing": {**GOOD, "key_ops": ["sign"]},
    "key_ops with odd values": {**GOOD, "key_ops": [[], {}]},
    "kty is missing": {name: value for name, value in GOOD.items() if name != "kty"},
    "kty is a list": {**GOOD, "kty": ["RSA"]},
    "kty is unknown": {**GOOD, "kty": "AKP"},
    "a secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
    "a private key": {**GOOD, "d": number(MODULUS - 2)},
    "n is missing": {name: value for name, value in GOOD.items() if name != "n"},
    "n is a number": {**GOOD, "n": MODULUS},
    "n is not finite": {**GOOD, "n": float("nan")},
    "n is not base64": {**GOOD, "n": "ä" * 342},
    "n is empty": {**GOOD, "n": ""},
    "n is enormous": {**GOOD, "n": "A" * 200_000},
    "n is zero": {**GOOD, "n": number(0)},
    "n is even": {**GOOD, "n": number(MODULUS - 1)},
    "n has a small factor": {
        **GOOD,
        "n": number((MODULUS // 331) * 331 if (MODULUS // 331) % 2 else (MODULUS // 331 - 1) * 331),
    },
    "n is short": jwk_of(
        rsa.generate_private_key(public_exponent=65_537, key_size=1_024), "RS256", kid="short"
    ),
    "n is a little short": {**GOOD, "n": number(MODULUS >> 1 | 1)},
    "n is long": {**GOOD, "n": number(1 << 16_000 | 1)},
    "e is one": {**GOOD, "e": number(1)},
    "e is three": {**GOOD, "e": number(3)},
    "e is even": {**GOOD, "e": number(65_538)},
    "e is enormous": {**GOOD, "e": number(MODULUS - 2)},
    "e is true": {**GOOD, "e": True},
    "another curve": jwk_of(ec.generate_private_key(ec.SECP384R1()), "ES384"),
    "another curve that says ES256": jwk_of(ec.generate_private_key(ec.SECP384R1()), "ES384", alg="ES256"),
    "a point that is not on the curve": {**CURVE, "y": CURVE["x"]},
    "a point without y": {name: value for name, value in CURVE.items() if name != "y"},
    "coordinates of another curve": {**CURVE, "crv": "P-384"},
    "crv is a list": {**CURVE, "crv": ["P-256"]},
    "x is null": {**EDWARDS, "x": None},
    "x is short": {**EDWARDS, "x": "AAAA"},
    "a key for key agreement": jwk_of(ed25519.Ed25519PrivateKey.generate(), "EdDSA", crv="X25519"),
    "an RSA key on a curve": {**GOOD, "crv": "P-256"},
}


@pytest.mark.parametrize("bad", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_key_is_skipped_and_reported_and_the_others_are_used(bad: Any) -> None:
    document = json.dumps({"keys": [bad, GOOD, bad, CURVE]}).encode()
    keys, skipped = read_key_set(document, ASYMMETRIC)
    assert [(key.kid, key.algorithm) for key in keys] == [("rsa", "RS256"), ("curve", "ES256")]
    assert len(skipped) == 2
    assert all(one.key and one.reason for one in skipped)


VALID: Final = {
    "all fields": GOOD,
    "the least": {name: GOOD[name] for name in ("kty", "n", "e")},
    "unknown fields": {**GOOD, "x5t": 7, "x5c": [[]], "nbf": float("inf"), "exp": 10**400},
    "RSA of 8,192 bits": {
        **GOOD,
        "n": number(next(n for n in range(2**8191 + 1, 2**8192, 2) if gcd(n, ODD) == 1)),
    },
    "P-256": CURVE,
    "Ed25519": EDWARDS,
    "Ed448": jwk_of(ed448.Ed448PrivateKey.generate(), "EdDSA"),
}


@pytest.mark.parametrize("good", VALID.values(), ids=VALID.keys())
def test_a_valid_key_is_used(good: Jwk) -> None:
    keys, skipped = read_key_set(json.dumps({"keys": [good]}).encode(), ASYMMETRIC)
    assert (len(keys), skipped) == (1, [])


def test_a_number_of_any_length_spoils_only_its_own_key() -> None:
    text = json.dumps({"keys": [{**GOOD, "n": 0}, CURVE]}).replace('"n": 0', '"n": ' + "9" * 10_000)
    keys, skipped = read_key_set(text.encode(), ASYMMETRIC)
    assert [key.kid for key in keys] == ["curve"]
    assert [one.key for one in skipped] == ["rsa"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_ignored(encoding: str) -> None:
    assert len(read_key_set(json.dumps({"keys": [GOOD]}).encode(encoding), ASYMMETRIC)[0]) == 1


def test_keys_with_the_same_kid_are_all_used_and_duplicates_once() -> None:
    other = jwk_of(rsa.generate_private_key(public_exponent=65_537, key_size=2_048), "RS256", kid="rsa")
    keys, _ = read_key_set(
        json.dumps({"keys": [GOOD, other, GOOD, {**CURVE, "kid": "rsa"}]}).encode(), ASYMMETRIC
    )
    assert [key.algorithm for key in keys] == ["RS256", "RS256", "ES256"]


def test_a_key_for_an_algorithm_that_is_not_allowed_is_skipped() -> None:
    keys, skipped = read_key_set(json.dumps({"keys": [GOOD, CURVE]}).encode(), ["ES256"])
    assert [key.kid for key in keys] == ["curve"]
    assert skipped[0].reason == "it is for RS256, which SCOREBOARD_JWT_ALGORITHMS does not have"


def test_only_the_first_keys_of_a_large_set_are_used() -> None:
    many = [{**EDWARDS, "kid": str(place)} for place in range(MAX_KEYS + 1)]
    keys, skipped = read_key_set(json.dumps({"keys": many}).encode(), ASYMMETRIC)
    assert (len(keys), [one.reason for one in skipped]) == (MAX_KEYS, [f"the set has {MAX_KEYS + 1} keys"])


async def test_each_invalid_key_is_logged_once() -> None:
    clock = HeldClock()
    with (
        publishing([GOOD, {**CURVE, "use": "enc"}, {**GOOD, "kid": ["a"]}]) as issuer,
        capture_logs() as logs,
    ):
        keys = JwksKeys(issuer.url, ASYMMETRIC, clock)
        for _ in range(3):
            clock.advance(RETRY_SECONDS)
            await keys.refresh()
        issuer.keys[1]["use"] = "sig"
        clock.advance(RETRY_SECONDS)
        assert await keys.refresh()
    assert [(line["key"], line["reason"]) for line in logs if "skipped" in line["event"]] == [
        ("curve", "“use” is not “sig”"),
        ("number 3", "“kid” is not a text of at most 2800 characters"),
    ]
    assert [key.kid for key in keys.now()] == ["rsa", "curve"]


WEAK: Final[dict[str, Callable[[], Any]]] = {
    "1,024 bits": lambda: rsa.generate_private_key(public_exponent=65_537, key_size=1_024).public_key(),
    "2,047 bits": lambda: rsa.RSAPublicNumbers(65_537, MODULUS >> 1 | 1).public_key(),
    "16,384 bits": lambda: rsa.RSAPublicNumbers(65_537, 1 << 16_383 | 1).public_key(),
    "an exponent of 3": lambda: rsa.RSAPublicNumbers(3, MODULUS).public_key(),
    "an enormous exponent": lambda: rsa.RSAPublicNumbers(MODULUS - 2, MODULUS).public_key(),
}


@pytest.mark.parametrize("make", WEAK.values(), ids=WEAK.keys())
def test_a_weak_key_in_a_file_is_refused(tmp_path: Path, make: Callable[[], Any]) -> None:
    path = tmp_path / "weak.pem"
    path.write_bytes(make().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(StartError, match=r"weak\.pem is a weak key .*SCOREBOARD_JWT_PUBLIC_KEYS"):
        read_pem(path, ASYMMETRIC)


def test_a_key_for_another_purpose_in_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agreement.pem"
    key = x25519.X25519PrivateKey.generate().public_key()
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(StartError, match="SCOREBOARD_JWT_ALGORITHMS"):
        read_pem(path, ASYMMETRIC)
