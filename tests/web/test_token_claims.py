"""Claims in the forms of real providers: scopes, audiences, subjects and names."""

import base64
from collections.abc import Iterator
from typing import Any, Final

import pytest
from jwt.algorithms import get_default_algorithms

from tests.harness import SECRET, UNLIMITED, Running, running
from tests.web.signing import Claims, assert_refused, claims_of, hmac_of, key, pem, signed

PROVIDERS: Final[dict[str, tuple[Claims, str, int]]] = {
    "Microsoft, another scope": ({"scp": "mail.read", "aud": "api"}, "ada", 403),
    "Microsoft, a list": ({"scp": ["mail.read"], "aud": "api"}, "ada", 403),
    "Microsoft, ours": ({"scp": "openid scores:write", "ver": "2.0", "aud": "api"}, "ada", 201),
    "Okta, others": ({"scp": ["openid", "profile"], "cid": "0oa", "aud": "api"}, "ada", 403),
    "Okta, ours": ({"scp": ["openid", "scores:write"], "cid": "0oa", "aud": "api"}, "ada", 201),
    "Okta, a trusted server": ({"scp": ["scores:write:any"], "cid": "0oa", "aud": "api"}, "bob", 201),
    "Auth0, none granted": ({"scope": "openid", "permissions": [], "aud": ["api", "info"]}, "ada", 403),
    "Auth0, permissions alone": ({"permissions": ["read:mail"], "aud": "api"}, "ada", 403),
    "Auth0, granted": ({"scope": "openid", "permissions": ["scores:write"], "aud": ["api", "x"]}, "ada", 201),
    "Cognito, ours": ({"scope": "scores:write", "client_id": "api", "token_use": "access"}, "ada", 201),
    "Cognito, another": ({"scope": "scores:write", "client_id": "shop", "token_use": "access"}, "ada", 401),
    "Keycloak": ({"scope": "email profile", "azp": "game", "aud": "api", "typ": "Bearer"}, "ada", 403),
    "Passport, others": ({"scopes": ["read-mail"], "aud": "api"}, "ada", 403),
    "Passport, none": ({"scopes": [], "aud": "api"}, "ada", 403),
    "Passport, ours": ({"scopes": ["read-mail", "scores:write"], "aud": "api"}, "ada", 201),
    "Firebase": ({"aud": "api", "user_id": "ada", "firebase": {"sign_in_provider": "anonymous"}}, "ada", 201),
    "empty scp": ({"scp": "", "aud": "api"}, "ada", 403),
    "scp of an odd kind": ({"scp": {"a": 1}, "aud": "api"}, "ada", 403),
    "scp that is null": ({"scp": None, "aud": "api"}, "ada", 403),
}


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that accepts the tokens of one provider."""
    folder = tmp_path_factory.mktemp("following")
    (folder / "provider.pem").write_bytes(pem(key("RS256")))
    given: dict[str, Any] = {
        "jwt_issuer": "https://login.example",
        "jwt_audience": "other,api",
        "jwt_secret": None,
        "jwt_public_keys": str(folder / "provider.pem"),
    }
    with running(folder, rate_limit=UNLIMITED, **given) as server:
        yield server


@pytest.mark.parametrize(("claims", "user", "status"), PROVIDERS.values(), ids=PROVIDERS.keys())
def test_the_forms_of_all_providers_are_accepted(
    following: Running, claims: Claims, user: str, status: int
) -> None:
    token = signed(
        claims_of(following, iss="https://login.example", **claims), key("RS256"), "RS256", kid="provider"
    )
    response = following.score(user, token=token)
    assert response.status_code == status, response.text
    if status == 403:
        assert response.json()["code"] == "insufficient_scope"


SUBJECTS: Final[dict[str, tuple[Any, str | None]]] = {
    "a number": (42, "42"),
    "zero": (0, "0"),
    "a negative number": (-7, "-7"),
    "the largest number that all parsers read exactly": (2**53 - 1, str(2**53 - 1)),
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
def test_a_numeric_subject_is_its_digits(trusting: Running, subject: Any, user_id: str | None) -> None:
    token = hmac_of({"alg": "HS256"}, claims_of(trusting, sub=subject), SECRET.encode())
    if user_id is None:
        assert_refused(trusting, token)
    else:
        assert trusting.score(user_id, token=token).json()["userId"] == user_id
        assert user_id in {entry["userId"] for entry in trusting.board()["entries"]}


def test_the_id_of_a_token_may_be_a_number(trusting: Running) -> None:
    token = hmac_of({"alg": "HS256"}, claims_of(trusting, jti=7), SECRET.encode())
    assert trusting.score(token=token).status_code == 201


def test_an_invalid_name_is_ignored(trusting: Running) -> None:
    for number, name in enumerate(("\u200b\u202e", "\x00", 7, ["Ada"], {"first": "Ada"}, None, "\ud800")):
        token = signed(claims_of(trusting, sub="unnamed", name=name, jti=str(number)))
        assert trusting.score("unnamed", token=token).status_code == 201
    names = {entry["userId"]: entry["name"] for entry in trusting.board()["entries"]}
    assert names["unnamed"] == "unnamed"


def test_a_deeply_nested_token_is_refused(trusting: Running) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 2_900).rstrip(b"=").decode()
    header, claims, signature = signed(claims_of(trusting)).split(".")
    assert_refused(trusting, f"{nested}.{claims}.{signature}")
    valid = get_default_algorithms()["HS256"].sign(f"{header}.{nested}".encode(), SECRET.encode())
    assert_refused(trusting, f"{header}.{nested}.{base64.urlsafe_b64encode(valid).decode().rstrip('=')}")
