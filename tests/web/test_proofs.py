"""Proofs of trusted servers: valid for one user and one action, once, for a short time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import jwt
import pytest

from scoreboard.domain.scopes import WRITE_ANY_SCORES
from tests.clocks import HeldClock
from tests.harness import SECRET, Running, running

CATALOG: Final = """
[boards.main]
title = "Main"
[actions.boss]
board = "main"
points = 100
points_range = [50, 150]
title = "Boss"
needs_proof = true
[actions.quest]
board = "main"
points = 50
title = "Quest"
"""

TYPE: Final = "scoreboard-proof+jwt"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "catalog.toml").write_text(CATALOG)
    with running(tmp_path, HeldClock()) as server:
        yield server


def proof(server: Running, type: str = TYPE, secret: str = SECRET, **changed: Any) -> str:
    now = server.clock.now_us() // 1_000_000
    claims = {"sub": "ada", "action": "boss", "jti": "1", "iat": now, "exp": now + 300, **changed}
    present = {name: value for name, value in claims.items() if value is not ...}
    return jwt.encode(present, secret, algorithm="HS256", headers={"typ": type})


def redeem(
    server: Running, shown: str | None, user_id: str = "ada", action_id: str = "boss", key: str | None = None,
    token: str | None = None,
) -> httpx2.Response:  # fmt: skip
    headers = {"Authorization": f"Bearer {token or server.token(user_id)}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    body = {"actionId": action_id, "userId": user_id, **({} if shown is None else {"proof": shown})}
    return server.client.post("/api/scores", json=body, headers=headers)


def code(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_proof_counts_once(server: Running) -> None:
    shown = proof(server)
    assert redeem(server, shown).json()["score"] == 100
    assert code(redeem(server, shown)) == (409, "proof_redeemed")
    again = proof(server, exp=server.clock.now_us() // 1_000_000 + 500)
    assert code(redeem(server, again)) == (409, "proof_redeemed")
    assert redeem(server, proof(server, jti="2")).json()["score"] == 200


def test_a_repeat_with_the_same_key_returns_the_lost_response(server: Running) -> None:
    shown = proof(server)
    first = redeem(server, shown, key="k")
    second = redeem(server, shown, key="k")
    assert (second.status_code, second.headers["Idempotent-Replayed"]) == (201, "true")
    assert second.json()["eventId"] == first.json()["eventId"]
    assert code(redeem(server, shown, key="other")) == (409, "proof_redeemed")


def test_a_repeat_works_after_the_proof_has_expired(server: Running) -> None:
    shown = proof(server)
    first = redeem(server, shown, key="k")
    server.clock.advance(1_000)
    assert redeem(server, shown, key="k").json()["eventId"] == first.json()["eventId"]
    assert code(redeem(server, shown, key="other")) == (403, "proof_invalid")


def test_an_action_that_requires_a_proof_counts_only_with_one(server: Running) -> None:
    assert code(redeem(server, None)) == (403, "proof_required")
    trusted = server.token("server", scopes=(WRITE_ANY_SCORES,))
    assert redeem(server, None, token=trusted).status_code == 201


def test_other_actions_accept_a_proof_too(server: Running) -> None:
    shown = proof(server, action="quest")
    assert redeem(server, shown, action_id="quest").json()["points"] == 50
    assert code(redeem(server, shown, action_id="quest")) == (409, "proof_redeemed")


def test_a_proof_sets_points_within_the_range(server: Running) -> None:
    assert redeem(server, proof(server, points=149)).json()["points"] == 149
    assert code(redeem(server, proof(server, jti="2", points=151))) == (409, "points_out_of_range")


FORGED: Final[dict[str, dict[str, Any]]] = {
    "for somebody else": {"sub": "bob"},
    "for another action": {"action": "quest"},
    "no action": {"action": ...},
    "no id": {"jti": ...},
    "an id that is none": {"jti": 7},
    "no end": {"exp": ...},
    "an end that is text": {"exp": "2030"},
    "points that are text": {"points": "100"},
    "points that are true": {"points": True},
    "signed by a stranger": {"secret": "a secret that this server has never seen"},
    "a token": {"type": "JWT"},
}


@pytest.mark.parametrize("changed", FORGED.values(), ids=FORGED.keys())
def test_an_invalid_proof_is_refused_without_a_reason(server: Running, changed: dict[str, Any]) -> None:
    assert code(redeem(server, proof(server, **changed))) == (403, "proof_invalid")
    assert server.board()["version"] == 0


@pytest.mark.parametrize("seconds", [-11, 611])
def test_a_proof_expires_soon(server: Running, seconds: int) -> None:
    ends = server.clock.now_us() // 1_000_000 + seconds
    assert code(redeem(server, proof(server, exp=ends, iat=...))) == (403, "proof_invalid")


TYPES: Final[dict[str, tuple[str | None, bool]]] = {
    "as it is": (TYPE, True),
    "in capitals": ("Scoreboard-Proof+JWT", True),
    "as a media type": ("application/scoreboard-proof+jwt", True),
    "as a media type, in capitals": ("APPLICATION/SCOREBOARD-PROOF+JWT", True),
    "none": (None, False),
    "empty": ("", False),
    "a token's": ("JWT", False),
    "an access token's": ("at+jwt", False),
    "another media type": ("text/scoreboard-proof+jwt", False),
    "with a parameter": ("scoreboard-proof+jwt;v=1", False),
    "a prefix twice": ("application/application/scoreboard-proof+jwt", False),
    "letters that look alike": ("ſcoreboard-proof+jwt", False),
}


@pytest.mark.parametrize(("typ", "is_proof"), TYPES.values(), ids=TYPES.keys())
def test_a_proof_requires_its_type_and_is_not_accepted_as_a_token(
    server: Running, typ: str | None, is_proof: bool
) -> None:
    now = server.clock.now_us() // 1_000_000
    claims = {
        "sub": "ada",
        "action": "boss",
        "jti": "1",
        "iat": now,
        "exp": now + 300,
        "scope": "scores:write:any",
    }
    shown = jwt.encode(claims, SECRET, algorithm="HS256", headers={"typ": typ})
    assert code(redeem(server, None, action_id="quest", token=shown)) == (401, "token_invalid")
    assert redeem(server, shown).status_code == (201 if is_proof else 403)


def test_a_proof_is_not_accepted_as_a_token(server: Running) -> None:
    assert code(redeem(server, None, token=proof(server))) == (401, "token_invalid")
    # `scoreboard proof` prints the same.
    assert code(redeem(server, None, token=server.tokens.sign_proof("ada", "boss", "1"))) == (
        401,
        "token_invalid",
    )


def test_a_token_is_not_accepted_as_a_proof(server: Running) -> None:
    assert code(redeem(server, server.token())) == (403, "proof_invalid")


@pytest.mark.parametrize("shown", ["", "x", "é", "a.b.c", "x" * 8_193, "\ud800"])
def test_a_malformed_proof_is_refused(server: Running, shown: str) -> None:
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"}
    body = json.dumps({"actionId": "boss", "userId": "ada", "proof": shown})
    response = server.client.post("/api/scores", content=body, headers=headers)
    assert code(response) in {(403, "proof_invalid"), (422, "validation_failed")}
