"""An invalid token is refused without a reason, and changes nothing."""

from typing import Any

import jwt
import pytest

from tests.harness import SECRET, Running
from tests.web.problems import GOOD, assert_problem, post


def signed(now: int, claims: dict[str, Any]) -> str:
    merged = {"sub": "ada", "exp": now + 60, "secret": SECRET, "algorithm": "HS256", **claims}
    secret, algorithm = merged.pop("secret"), merged.pop("algorithm")
    return jwt.encode({k: v for k, v in merged.items() if v is not ...}, secret, algorithm=algorithm)


SECONDS_FROM_NOW = (-1, 0, 60)

TOKENS: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": -11}, "token_expired"),
    "expires now": ({"exp": -10}, "token_expired"),
    "without exp": ({"exp": ...}, "token_invalid"),
    "exp is text": ({"exp": "4102444800"}, "token_invalid"),
    "exp is true": ({"exp": True}, "token_invalid"),
    "exp is null": ({"exp": None}, "token_invalid"),
    "exp is out of range": ({"exp": 1e308}, "token_invalid"),
    "exp has 400 digits": ({"exp": 10**400}, "token_invalid"),
    "exp is infinite": ({"exp": float("inf")}, "token_invalid"),
    "exp is not a number": ({"exp": float("nan")}, "token_invalid"),
    "not valid yet": ({"nbf": 60}, "token_invalid"),
    "without sub": ({"sub": ...}, "token_invalid"),
    "sub is a fraction": ({"sub": 7.5}, "token_invalid"),
    "sub is true": ({"sub": True}, "token_invalid"),
    "sub is empty": ({"sub": ""}, "token_invalid"),
    "sub is too long": ({"sub": "x" * 129}, "token_invalid"),
    "sub has a control character": ({"sub": "a\n"}, "token_invalid"),
    "forged": ({"secret": "another secret of thirty-two bytes"}, "token_invalid"),
    "unsigned": ({"secret": "", "algorithm": "none"}, "token_invalid"),
    "other algorithm": ({"algorithm": "HS512", "secret": SECRET * 2}, "token_invalid"),
    "very long": ({"padding": "x" * 9_000}, "token_invalid"),
}


@pytest.mark.parametrize(("claims", "code"), TOKENS.values(), ids=TOKENS.keys())
def test_an_invalid_token_changes_nothing(scoreboard: Running, claims: dict[str, Any], code: str) -> None:
    now = scoreboard.clock.us // 1_000_000
    relative = {name: now + value if value in SECONDS_FROM_NOW else value for name, value in claims.items()}
    response = post(scoreboard, GOOD, Authorization=f"Bearer {signed(now, relative)}")
    assert_problem(response, 401, code)
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert scoreboard.ledger() == []


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer x", "Bearer a.b.c", "Bearer ....", "Bearer \x80\xff", "Bearer e30.e30."],
)
def test_a_malformed_token_changes_nothing(scoreboard: Running, header: str) -> None:
    response = scoreboard.client.post(
        "/api/scores", json=GOOD, headers=[(b"Authorization", header.encode("latin-1"))]
    )
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert scoreboard.ledger() == []


def test_a_request_without_a_token_is_refused(scoreboard: Running) -> None:
    response = scoreboard.client.post("/api/scores", json=GOOD)
    assert_problem(response, 401, "token_missing")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    response = scoreboard.client.post("/api/scores", json=GOOD, headers={"Authorization": "Basic YTpi"})
    assert_problem(response, 401, "token_missing")


def test_a_verified_token_still_expires(scoreboard: Running) -> None:
    token = scoreboard.token()
    assert scoreboard.score(token=token).status_code == 201
    # The leeway for different clocks is ten seconds.
    scoreboard.clock.advance(3_609)
    assert scoreboard.score(token=token).status_code == 201
    scoreboard.clock.advance(1)
    assert_problem(scoreboard.score(token=token), 401, "token_expired")
