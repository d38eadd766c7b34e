"""Proofs of trusted servers: valid for one user and one action, once, for a short time."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import httpx2
import jwt
import pytest

from scoreboard.domain.scopes import WRITE_ANY_SCORES
from tests.clocks import HeldClock
from tests.harness import SECRET, UNLIMITED, Running, running
from tests.web.problems import code, nothing_counts

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("proofs")
    (folder / "catalog.toml").write_text(CATALOG)
    with running(folder, HeldClock(), rate_limit=UNLIMITED) as server:
        yield server


_ids = count()


def proof(server: Running, type: str | None = TYPE, secret: str = SECRET, **changed: Any) -> str:
    now = server.clock.now_us() // 1_000_000
    claims = {"sub": "ada", "action": "boss", "jti": str(next(_ids)), "iat": now, "exp": now + 300, **changed}
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


def test_a_proof_counts_once(server: Running) -> None:
    now = server.clock.now_us() // 1_000_000
    for exp in (300, 500):
        shown = proof(server, jti="once", exp=now + exp)
        assert redeem(server, shown).status_code == (201 if exp == 300 else 409)
        assert code(redeem(server, shown)) == (409, "proof_redeemed")
    assert redeem(server, proof(server, jti="another")).json()["points"] == 100


def test_a_repeat_with_the_same_key_returns_the_lost_response_also_after_the_proof_has_expired(
    server: Running,
) -> None:
    shown = proof(server)
    first = redeem(server, shown, key="k")
    for seconds, refusal in ((0, (409, "proof_redeemed")), (1_000, (403, "proof_invalid"))):
        server.clock.advance(seconds)
        again = redeem(server, shown, key="k")
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert again.json()["eventId"] == first.json()["eventId"]
        assert code(redeem(server, shown, key="other")) == refusal


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
    assert code(redeem(server, proof(server, points=151))) == (409, "points_out_of_range")


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
    "columns that are a list": {"columns": [1]},
    "a column that is text": {"columns": {"time": "1"}},
    "a column that is null": {"columns": {"time": None}},
    "a column without an id": {"columns": {"": 1}},
    "three columns": {"columns": {"a": 1, "b": 1, "c": 1}},
    "signed by a stranger": {"secret": "a secret that this server has never seen"},
    "a token": {"type": "JWT"},
}


@pytest.mark.parametrize("changed", FORGED.values(), ids=FORGED.keys())
def test_an_invalid_proof_is_refused_without_a_reason(server: Running, changed: dict[str, Any]) -> None:
    with nothing_counts(server):
        assert code(redeem(server, proof(server, **changed))) == (403, "proof_invalid")


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
    shown = proof(server, type=typ, scope="scores:write:any")
    assert code(redeem(server, None, action_id="quest", token=shown)) == (401, "token_invalid")
    assert redeem(server, shown).status_code == (201 if is_proof else 403)


def test_a_proof_of_the_command_line_is_not_accepted_as_a_token(server: Running) -> None:
    shown = server.tokens.sign_proof("ada", "boss", "1")
    assert code(redeem(server, None, token=shown)) == (401, "token_invalid")


def test_a_token_is_not_accepted_as_a_proof(server: Running) -> None:
    assert code(redeem(server, server.token())) == (403, "proof_invalid")


@pytest.mark.parametrize("shown", ["", "x", "é", "a.b.c", "x" * 8_193, "\ud800"])
def test_a_malformed_proof_is_refused(server: Running, shown: str) -> None:
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Type": "application/json"}
    body = json.dumps({"actionId": "boss", "userId": "ada", "proof": shown})
    response = server.client.post("/api/scores", content=body, headers=headers)
    assert code(response) in {(403, "proof_invalid"), (422, "validation_failed")}
