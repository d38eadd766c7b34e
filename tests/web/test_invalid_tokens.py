"""Claims that no valid token has, and malformed headers. Forgeries are in test_tokens.py."""

from typing import Any

import pytest

from tests.harness import SECRET, Running
from tests.web.problems import GOOD, assert_problem, nothing_counts, post
from tests.web.signing import claims_of, hmac_of

CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": -11}, "token_expired"),
    "expires now": ({"exp": -10}, "token_expired"),
    "exp is text": ({"exp": "4102444800"}, "token_invalid"),
    "exp is true": ({"exp": True}, "token_invalid"),
    "exp is null": ({"exp": None}, "token_invalid"),
    "exp is out of range": ({"exp": 1e308}, "token_invalid"),
    "exp has 400 digits": ({"exp": 10**400}, "token_invalid"),
    "exp is infinite": ({"exp": float("inf")}, "token_invalid"),
    "exp is not a number": ({"exp": float("nan")}, "token_invalid"),
    "without sub": ({"sub": ...}, "token_invalid"),
    "sub is empty": ({"sub": ""}, "token_invalid"),
    "sub is too long": ({"sub": "x" * 129}, "token_invalid"),
    "sub has a control character": ({"sub": "a\n"}, "token_invalid"),
}


@pytest.mark.parametrize(("claims", "code"), CLAIMS.values(), ids=CLAIMS.keys())
def test_an_invalid_token_changes_nothing(server: Running, claims: dict[str, Any], code: str) -> None:
    now = server.clock.us // 1_000_000
    relative = {name: now + value if value in {-10, -11} else value for name, value in claims.items()}
    token = hmac_of({"alg": "HS256"}, claims_of(server, **relative), SECRET.encode())
    with nothing_counts(server):
        response = post(server, GOOD, Authorization=f"Bearer {token}")
    assert_problem(response, 401, code)
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer x", "Bearer a.b.c", "Bearer ....", "Bearer \x80\xff", "Bearer e30.e30."],
)
def test_a_malformed_token_changes_nothing(server: Running, header: str) -> None:
    with nothing_counts(server):
        response = server.client.post(
            "/api/scores", json=GOOD, headers=[(b"Authorization", header.encode("latin-1"))]
        )
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}], ids=["none", "another scheme"])
def test_a_request_without_a_token_is_refused(server: Running, headers: dict[str, str]) -> None:
    response = server.client.post("/api/scores", json=GOOD, headers=headers)
    assert_problem(response, 401, "token_missing")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_verified_token_still_expires(server: Running) -> None:
    token = server.token()
    assert server.score(token=token).status_code == 201
    # The leeway for different clocks is ten seconds.
    server.clock.advance(3_609)
    assert server.score(token=token).status_code == 201
    server.clock.advance(1)
    assert_problem(server.score(token=token), 401, "token_expired")
