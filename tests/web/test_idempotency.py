"""Idempotency keys: whose they are, and what the ledger keeps of them."""

from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from scoreboard.domain.digests import Digests
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.web.auth.key_sources import FixedKeys, secrets
from scoreboard.web.auth.tokens import Tokens
from tests.clocks import HeldClock
from tests.harness import SECRET, Running, running

FIRST_SECRET = "the first secret of the tests is changed later"
OTHER_SECRET = "another secret of the tests, never used elsewhere"


def unkeyed(*parts: str) -> UUID:
    """Return the digest without a key, which earlier versions stored and which anyone can compute."""
    return UUID(bytes=blake2b("\0".join(parts).encode(), digest_size=16).digest())


def test_keys_of_a_server_do_not_meet_those_of_the_user_with_the_same_id(scoreboard: Running) -> None:
    trusted = scoreboard.token("ada", scopes=(WRITE_ANY_SCORES,))
    by_server = scoreboard.score("ada", key="1", token=trusted)
    by_user = scoreboard.score("ada", key="1")
    assert (by_server.status_code, by_user.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in by_user.headers
    assert by_user.json()["eventId"] != by_server.json()["eventId"]
    for token, first in ((trusted, by_server), (scoreboard.token("ada"), by_user)):
        repeat = scoreboard.score("ada", key="1", token=token)
        assert (repeat.headers["Idempotent-Replayed"], repeat.json()["eventId"]) == (
            "true",
            first.json()["eventId"],
        )


def test_a_digest_in_the_ledger_tells_nobody_without_the_secret_whose_key_it_was(scoreboard: Running) -> None:
    scoreboard.score("ada", key="k")
    (event,) = scoreboard.ledger()
    guesses = [("ada", "k"), ("user", "ada", "k"), ("submission", "user", "ada", "k")]
    assert event.idempotency_digest not in {
        *(unkeyed(*guess) for guess in guesses),
        Digests().submission("ada", "k", is_server=False).current,
        Digests([OTHER_SECRET.encode()]).submission("ada", "k", is_server=False).current,
    }


ROTATIONS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "the secret of tokens": (
        {"jwt_secret": FIRST_SECRET},
        {"jwt_secret": OTHER_SECRET, "jwt_old_secrets": FIRST_SECRET},
    ),
    "the secret of tokens, beside one of its own": (
        {"jwt_secret": FIRST_SECRET, "origin_secret": SECRET},
        {"jwt_secret": OTHER_SECRET, "origin_secret": SECRET},
    ),
    "a secret of its own, from now on": (
        {"jwt_secret": FIRST_SECRET},
        {"jwt_secret": FIRST_SECRET, "origin_secret": SECRET},
    ),
}


@pytest.mark.parametrize(("before", "after"), ROTATIONS.values(), ids=ROTATIONS.keys())
def test_a_repeat_is_found_after_a_secret_was_changed(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    clock = HeldClock()
    with running(tmp_path, clock, **before) as server:
        first = server.score(key="k").json()
    with running(tmp_path, clock, **after) as server:
        repeat = server.score(key="k")
        assert (repeat.headers.get("Idempotent-Replayed"), repeat.json()["eventId"]) == (
            "true",
            first["eventId"],
        )
        assert server.board()["entries"][0]["score"] == 50


def test_a_proof_counts_once_also_where_a_secret_is_changed_in_between(tmp_path: Path) -> None:
    clock = HeldClock()
    proof = Tokens(FixedKeys(secrets(FIRST_SECRET.encode())), clock).sign_proof("ada", "quest", "1")
    body = {"actionId": "quest", "userId": "ada", "proof": proof}
    with running(tmp_path, clock, jwt_secret=FIRST_SECRET) as server:
        headers = {"Authorization": f"Bearer {server.token()}"}
        assert server.client.post("/api/scores", json=body, headers=headers).status_code == 201
    with running(tmp_path, clock, jwt_secret=OTHER_SECRET, jwt_old_secrets=FIRST_SECRET) as server:
        assert (
            server.client.post("/api/scores", json=body, headers=headers).json()["code"] == "proof_redeemed"
        )
