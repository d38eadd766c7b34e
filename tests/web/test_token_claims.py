"""Tokens of real providers: where each puts scopes, audience and subject."""

import base64
from pathlib import Path
from typing import Any, Final

import pytest
from jwt.algorithms import get_default_algorithms

from tests.harness import SECRET, Running, running
from tests.web.test_tokens import KEYS, Claims, assert_refused, claims_of, hmac_of, pem, signed, trusting

__all__ = ["trusting"]  # a fixture


def access_token(**changed: Any) -> Claims:
    return {"iss": "https://login.example", **changed}


PROVIDERS: Final[dict[str, tuple[Claims, str, int]]] = {
    "Microsoft, another scope": (access_token(scp="mail.read", aud="api"), "ada", 403),
    "Microsoft, a list": (access_token(scp=["mail.read"], aud="api"), "ada", 403),
    "Microsoft, ours": (access_token(scp="openid scores:write", ver="2.0", aud="api"), "ada", 201),
    "Okta, others": (access_token(scp=["openid", "profile"], cid="0oa", aud="api"), "ada", 403),
    "Okta, ours": (access_token(scp=["openid", "scores:write"], cid="0oa", aud="api"), "ada", 201),
    "Okta, a trusted server": (access_token(scp=["scores:write:any"], cid="0oa", aud="api"), "bob", 201),
    "Auth0, none granted": (
        access_token(scope="openid profile", permissions=[], aud=["api", "info"]),
        "ada",
        403,
    ),
    "Auth0, permissions alone": (access_token(permissions=["read:mail"], aud="api"), "ada", 403),
    "Auth0, granted": (
        access_token(scope="openid", permissions=["scores:write"], aud=["api", "info"]),
        "ada",
        201,
    ),
    "Cognito, ours": (access_token(scope="scores:write", client_id="api", token_use="access"), "ada", 201),
    "Cognito, another app": (
        access_token(scope="scores:write", client_id="shop", token_use="access"),
        "ada",
        401,
    ),
    "Keycloak": (access_token(scope="email profile", azp="game", aud="api", typ="Bearer"), "ada", 403),
    "Firebase": (
        access_token(aud="api", user_id="ada", firebase={"sign_in_provider": "anonymous"}),
        "ada",
        201,
    ),
    "empty scp": (access_token(scp="", aud="api"), "ada", 403),
    "scp of an odd kind": (access_token(scp={"a": 1}, aud="api"), "ada", 403),
    "scp that is null": (access_token(scp=None, aud="api"), "ada", 403),
}


@pytest.mark.parametrize(("claims", "user", "status"), PROVIDERS.values(), ids=PROVIDERS.keys())
def test_tokens_of_providers_say_in_their_own_way_what_they_allow(
    tmp_path: Path, claims: Claims, user: str, status: int
) -> None:
    path = tmp_path / "provider.pem"
    path.write_bytes(pem(KEYS["RS256"]))
    given: dict[str, Any] = {
        "jwt_issuer": "https://login.example",
        "jwt_audience": "other,api",
        "jwt_secret": None,
    }
    with running(tmp_path, jwt_public_keys=str(path), **given) as scoreboard:
        token = signed(claims_of(scoreboard, **claims), KEYS["RS256"], "RS256", kid="provider")
        response = scoreboard.score(user, token=token)
        assert response.status_code == status, response.text
        if status == 403:
            assert response.json()["code"] == "insufficient_scope"


SUBJECTS: Final[dict[str, tuple[Any, str | None]]] = {
    "a number": (42, "42"),
    "zero": (0, "0"),
    "a negative number": (-7, "-7"),
    "the largest number that all read alike": (2**53 - 1, str(2**53 - 1)),
    "a larger one": (2**53, None),
    "one of very many digits": (10**300, None),
    "a fraction": (4.2, None),
    "a whole fraction": (42.0, None),
    "a text of digits": ("042", "042"),
    "true": (True, None),
    "null": (None, None),
    "a list": (["ada"], None),
    "an object": ({"id": "ada"}, None),
}


@pytest.mark.parametrize(("subject", "user_id"), SUBJECTS.values(), ids=SUBJECTS.keys())
def test_a_numeric_subject_is_its_digits(tmp_path: Path, subject: Any, user_id: str | None) -> None:
    with running(tmp_path) as scoreboard:
        token = signed_raw({"alg": "HS256"}, claims_of(scoreboard, sub=subject))
        if user_id is None:
            assert_refused(scoreboard, token)
        else:
            assert scoreboard.score(user_id, token=token).json()["userId"] == user_id
            assert scoreboard.board()["entries"][0]["userId"] == user_id


def signed_raw(header: dict[str, Any], claims: Claims) -> str:
    """By the server's secret, with claims that PyJWT would not sign."""
    return hmac_of(header, claims, SECRET.encode())


def test_numbers_for_the_ids_of_tokens_are_no_mistake(tmp_path: Path) -> None:
    with running(tmp_path) as scoreboard:
        token = signed_raw({"alg": "HS256"}, claims_of(scoreboard, jti=7))
        assert scoreboard.score(token=token).status_code == 201


def test_a_name_that_is_none_keeps_nobody_from_scoring(tmp_path: Path) -> None:
    with running(tmp_path) as scoreboard:
        for number, name in enumerate(("\u200b\u202e", "\x00", 7, ["Ada"], {"first": "Ada"}, None, "\ud800")):
            token = signed(claims_of(scoreboard, name=name, jti=str(number)))
            assert scoreboard.score(token=token).status_code == 201
        assert scoreboard.board()["entries"][0]["name"] == "ada"


@pytest.mark.parametrize("part", ["header", "claims"])
def test_a_token_that_is_nested_deeply_is_refused(trusting: Running, part: str) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 2_900).rstrip(b"=").decode()
    header, claims, signature = signed(claims_of(trusting)).split(".")
    if part == "header":
        assert_refused(trusting, f"{nested}.{claims}.{signature}")
    else:
        signature = base64.urlsafe_b64encode(
            get_default_algorithms()["HS256"].sign(f"{header}.{nested}".encode(), SECRET.encode())
        ).decode()
        assert_refused(trusting, f"{header}.{nested}.{signature.rstrip('=')}")
