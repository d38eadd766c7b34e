"""Keys and tokens, also ones that no library makes."""

import base64
import json
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from tests.harness import SECRET, Running
from tests.web.problems import assert_problem, nothing_counts

Claims = dict[str, Any]
FIRST_SECRET: Final = "the first secret of the tests is changed later"
OTHER_SECRET: Final = "another secret of the tests, never used elsewhere"


ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")


@cache
def key(name: str) -> Any:
    """Return the private key for an algorithm, or an RSA key that no server accepts for any other name."""
    match name:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem(private: Any) -> bytes:
    public: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public


def jwk(algorithm: str, kid: str, **changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = get_default_algorithms()[algorithm].to_jwk(
        key(algorithm).public_key(), as_dict=True
    )
    return {**found, "kid": kid, "use": "sig", "alg": algorithm, **changed}


def claims_of(scoreboard: Running, **changed: Any) -> Claims:
    now = scoreboard.clock.now_us() // 1_000_000
    claims = {"sub": "ada", "iat": now, "exp": now + 3_600, **changed}
    return {name: value for name, value in claims.items() if value is not ...}


def signed(claims: Claims, by: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, by, algorithm=algorithm, headers=header or None)


def raw(header: dict[str, Any], claims: Claims, signature: bytes = b"") -> str:
    """Return a token that no library makes."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hmac_of(header: dict[str, Any], claims: Claims, secret: bytes) -> str:
    """Return a token with an HMAC by any key. Libraries refuse public keys as secrets."""
    signing_input = raw(header, claims).rpartition(".")[0]
    signature = get_default_algorithms()["HS256"].sign(signing_input.encode(), secret)
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def assert_refused(scoreboard: Running, token: str) -> None:
    """Assert a response 401 without the reason, and that nothing was written."""
    with nothing_counts(scoreboard):
        response = scoreboard.score(token=token)
    assert assert_problem(response, 401, "token_invalid")["detail"] == "The token is not valid."
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
