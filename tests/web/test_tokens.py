"""Verification of tokens: keys of several kinds, forgeries, claims and scopes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import get_default_algorithms

from scoreboard.domain.errors import StartError
from tests.harness import SECRET, UNLIMITED, Running, running
from tests.key_server import publishing
from tests.web.signing import (
    ALGORITHMS,
    FIRST_SECRET,
    OTHER_SECRET,
    Claims,
    assert_refused,
    claims_of,
    hmac_of,
    jwk,
    key,
    pem,
    raw,
    signed,
)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_key_verifies_the_tokens_of_its_owner(trusting: Running, algorithm: str) -> None:
    token = signed(claims_of(trusting), key(algorithm), algorithm, kid="whatever")
    assert trusting.score(token=token).status_code == 201
    assert trusting.score().status_code == 201


PLAIN_HEADER: Final = {"alg": "HS256", "typ": "JWT"}

FORGERIES: Final[dict[str, Callable[[Claims], str]]] = {
    "alg none": lambda claims: raw({"alg": "none", "typ": "JWT"}, claims),
    "alg None": lambda claims: raw({"alg": "None"}, claims),
    "alg nOnE with a signature": lambda claims: raw({"alg": "nOnE"}, claims, b"x" * 32),
    "no alg": lambda claims: raw({"typ": "JWT"}, claims, b"x" * 32),
    "alg is a list": lambda claims: raw({"alg": ["HS256"]}, claims, b"x" * 32),
    "alg is a number": lambda claims: raw({"alg": 256}, claims, b"x" * 32),
    "another algorithm of the same family": lambda claims: signed(claims, SECRET * 2, "HS512"),
    "another algorithm with the same key": lambda claims: signed(claims, key("RS256"), "PS256"),
    "a stranger's secret": lambda claims: signed(claims, OTHER_SECRET),
    "a stranger's key": lambda claims: signed(claims, key("stranger"), "RS256"),
    "an empty secret": lambda claims: hmac_of(PLAIN_HEADER, claims, b""),
    "the public key as a secret": lambda claims: hmac_of(PLAIN_HEADER, claims, pem(key("RS256"))),
    "the public key as a secret, stripped": lambda claims: hmac_of(
        PLAIN_HEADER, claims, pem(key("RS256")).strip()
    ),
    "kid is a path": lambda claims: hmac_of({**PLAIN_HEADER, "kid": "../../../../dev/null"}, claims, b""),
    "kid is SQL": lambda claims: hmac_of({**PLAIN_HEADER, "kid": "' UNION SELECT 'key"}, claims, b"key"),
    "kid is a list": lambda claims: (
        signed(claims, OTHER_SECRET) and raw({**PLAIN_HEADER, "kid": ["a"]}, claims, b"x")
    ),
    "an embedded key": lambda claims: signed(
        claims,
        key("stranger"),
        "RS256",
        jwk=get_default_algorithms()["RS256"].to_jwk(key("stranger").public_key(), as_dict=True),
    ),
    "a critical header": lambda claims: signed(claims, SECRET, crit=["exp"], exp=1),
    "no signature": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "two parts": lambda claims: signed(claims).rpartition(".")[0],
    "four parts": lambda claims: signed(claims) + ".x",
    "two signatures": lambda claims: json.dumps({"payload": "x", "signatures": [{"protected": "x"}, {}]}),
    "cut short": lambda claims: signed(claims)[:-4],
    "a byte flipped": lambda claims: (
        signed(claims)[:-3] + ("AAA" if not signed(claims).endswith("AAA") else "BBB")
    ),
    "not base64": lambda _: "!.!.!",
    "a list as claims": lambda _: raw(PLAIN_HEADER, [1]),  # type: ignore[arg-type]
    "a megabyte": lambda claims: signed({**claims, "more": "x" * 7_000}) + "x" * 2_000,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused_without_a_reason(
    trusting: Running, forge: Callable[[Claims], str]
) -> None:
    assert_refused(trusting, forge(claims_of(trusting)))


@pytest.mark.parametrize("pointer", ["jku", "x5u"])
def test_urls_in_a_token_are_not_requested(trusting: Running, pointer: str) -> None:
    with publishing([jwk("RS256", "a")]) as issuer:
        assert_refused(
            trusting, signed(claims_of(trusting), key("stranger"), "RS256", kid="b", **{pointer: issuer.url})
        )
        assert issuer.asked == 0


TIMES: Final[dict[str, tuple[Claims, int]]] = {
    "too long a lifetime": ({"exp": 31 * 86_400}, 401),
    "the longest lifetime": ({"exp": 30 * 86_400}, 201),
    "no real end": ({"exp": 10**12}, 401),
    "too long a lifetime, without iat": ({"exp": 31 * 86_400, "iat": ...}, 401),
    "valid from now on, by a clock that is ahead": ({"nbf": 9}, 201),
    "not yet valid": ({"nbf": 11}, 401),
    "issued later": ({"iat": 11}, 401),
    "no exp": ({"exp": ...}, 401),
}


@pytest.mark.parametrize(("changed", "status"), TIMES.values(), ids=TIMES.keys())
def test_a_token_is_valid_during_its_lifetime(trusting: Running, changed: Claims, status: int) -> None:
    now = trusting.clock.now_us() // 1_000_000
    at = {name: value if value is ... else now + value for name, value in changed.items()}
    assert trusting.score(token=signed(claims_of(trusting, **at))).status_code == status


EXPECTED: Final[dict[str, Any]] = {
    "jwt_issuer": "https://login.example",
    "jwt_audience": "scoreboard, scoreboard-eu",
    "jwt_type": "at+jwt",
}
SAID: Final[dict[str, tuple[Claims, str, int]]] = {
    "all as expected": ({}, "at+jwt", 201),
    "one audience of several": ({"aud": ["shop", "scoreboard"]}, "at+jwt", 201),
    "another audience of ours": ({"aud": "scoreboard-eu"}, "at+jwt", 201),
    "the audience as the client": ({"aud": ..., "client_id": "scoreboard"}, "at+jwt", 201),
    "another client": ({"aud": ..., "client_id": "shop"}, "at+jwt", 401),
    "a list of clients": ({"aud": ..., "client_id": {"scoreboard": 1}}, "at+jwt", 401),
    "the client beside another audience": ({"aud": "shop", "client_id": "scoreboard"}, "at+jwt", 401),
    "the client beside no audience": ({"aud": None, "client_id": "scoreboard"}, "at+jwt", 401),
    "the client beside an empty audience": ({"aud": [], "client_id": "scoreboard"}, "at+jwt", 401),
    "the client of an id token": ({"aud": ..., "client_id": "scoreboard", "token_use": "id"}, "at+jwt", 401),
    "the type as a media type": ({}, "application/at+jwt", 201),
    "the type in capitals": ({}, "AT+JWT", 201),
    "both": ({}, "Application/At+JWT", 201),
    "another issuer": ({"iss": "https://evil.example"}, "at+jwt", 401),
    "a list of issuers": ({"iss": ["https://login.example"]}, "at+jwt", 401),
    "no issuer": ({"iss": ...}, "at+jwt", 401),
    "another audience": ({"aud": "shop"}, "at+jwt", 401),
    "other audiences": ({"aud": ["shop", 1, None]}, "at+jwt", 401),
    "no audience": ({"aud": ...}, "at+jwt", 401),
    "an audience that begins the same": ({"aud": "scoreboard-admin"}, "at+jwt", 401),
    "another type": ({}, "JWT", 401),
}


@pytest.fixture(scope="module")
def expecting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that requires an issuer, an audience and a type."""
    with running(tmp_path_factory.mktemp("expecting"), rate_limit=UNLIMITED, **EXPECTED) as server:
        yield server


@pytest.mark.parametrize(("changed", "typ", "status"), SAID.values(), ids=SAID.keys())
def test_issuer_audience_and_type_must_match(
    expecting: Running, changed: Claims, typ: str, status: int
) -> None:
    given = {"iss": "https://login.example", "aud": "scoreboard", **changed}
    token = hmac_of({"alg": "HS256", "typ": typ}, claims_of(expecting, **given), SECRET.encode())
    assert expecting.score(token=token).status_code == status


NO_SPACES: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2007\u2028\u2029\u202f\u205f\u3000\u200b\ufeff,;+"
)
"""Characters at which other functions split text. Scopes are split at U+0020."""

SCOPES: Final[dict[str, tuple[Any, bool, str, int]]] = {
    "none": (..., True, "ada", 201),
    "none, and one is required": (..., False, "ada", 403),
    "its own": ("scores:write", False, "ada", 201),
    "its own, for another user": ("scores:write", True, "bob", 403),
    "its own, for a user whose id looks the same": ("scores:write", True, "аda", 403),
    "others": ("openid profile", True, "ada", 403),
    "others, as a list": (["openid", 7], True, "ada", 403),
    "any user": ("openid scores:write:any", True, "bob", 201),
    "any user, for its own": ("scores:write:any", False, "ada", 201),
    "as a list": (["openid", "scores:write"], False, "ada", 201),
    "a list is not split": (["openid scores:write"], False, "ada", 403),
    "several spaces": ("  openid   scores:write ", False, "ada", 201),
    "empty": ("", True, "ada", 403),
    "an empty list": ([], True, "ada", 403),
    "null": (None, True, "ada", 403),
    "a number": (7, True, "ada", 403),
    "an object": ({"scores:write": True}, True, "ada", 403),
    **{
        f"split at U+{ord(character):04X}": (f"x{character}scores:write:any", True, "bob", 403)
        for character in NO_SPACES
    },
}


@pytest.fixture(scope="module")
def scoping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Running]]:
    """Two servers: one accepts tokens without any scope, the other does not."""
    with (
        running(tmp_path_factory.mktemp("lax"), rate_limit=UNLIMITED, jwt_unscoped_may_score=True) as lax,
        running(
            tmp_path_factory.mktemp("strict"), rate_limit=UNLIMITED, jwt_unscoped_may_score=False
        ) as strict,
    ):
        yield {True: lax, False: strict}


@pytest.mark.parametrize(("scope", "unscoped", "user", "status"), SCOPES.values(), ids=SCOPES.keys())
def test_scopes_decide_for_which_users_a_token_may_score(
    scoping: dict[bool, Running], scope: Any, unscoped: bool, user: str, status: int
) -> None:
    server = scoping[unscoped]
    response = server.score(user, token=signed(claims_of(server, scope=scope)))
    assert response.status_code == status
    if status == 403 and user == "ada":
        assert response.json()["code"] == "insufficient_scope"
        challenge = 'Bearer error="insufficient_scope", scope="scores:write"'
        assert response.headers["WWW-Authenticate"] == challenge


def test_tokens_of_an_old_secret_stay_valid_during_a_rotation(tmp_path: Path) -> None:
    with running(tmp_path, jwt_secret=FIRST_SECRET) as before:
        old = before.token()
        assert before.score(token=old).status_code == 201
    with running(tmp_path, before.clock, jwt_secret=OTHER_SECRET, jwt_old_secrets=FIRST_SECRET) as changed:
        assert changed.score(token=old).status_code == 201
        assert changed.score(token=signed(claims_of(changed), OTHER_SECRET)).status_code == 201
    with running(tmp_path, before.clock, jwt_secret=OTHER_SECRET) as after:
        assert after.score(token=old).status_code == 401


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"jwt_public_keys": "no-such-file.pem"}, "SCOREBOARD_JWT_PUBLIC_KEYS"),
        ({"jwt_public_keys": "RS256.pem", "jwt_algorithms": "ES256"}, "SCOREBOARD_JWT_ALGORITHMS"),
        ({"jwt_public_keys": "catalog.toml"}, "SCOREBOARD_JWT_PUBLIC_KEYS"),
        ({"jwt_algorithms": "none"}, "SCOREBOARD_JWT_ALGORITHMS"),
        ({"jwt_jwks_url": "http://login.example/jwks.json"}, "SCOREBOARD_JWT_JWKS_URL"),
        (
            {"jwt_jwks_url": "https://login.example/jwks.json", "jwt_algorithms": "HS256"},
            "SCOREBOARD_JWT_ALGORITHMS",
        ),
        ({"jwt_old_secrets": "short"}, "SCOREBOARD_JWT_OLD_SECRETS"),
        ({"env": "production", "cors_origins": "*"}, "SCOREBOARD_CORS_ORIGINS"),
    ],
)
def test_keys_that_accept_no_token_or_any_token_are_refused_at_the_start(
    tmp_path: Path, given: dict[str, Any], named: str
) -> None:
    (tmp_path / "RS256.pem").write_bytes(pem(key("RS256")))
    if "jwt_public_keys" in given:
        given = {**given, "jwt_public_keys": str(tmp_path / given["jwt_public_keys"])}
    with pytest.raises(StartError, match=named), running(tmp_path, jwt_secret=None, **given):
        pass


def test_a_private_key_is_refused_as_a_public_key(tmp_path: Path) -> None:
    path = tmp_path / "private.pem"
    path.write_bytes(key("RS256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(StartError, match="is not a public key"), running(tmp_path, jwt_public_keys=str(path)):
        pass
