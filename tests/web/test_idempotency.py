"""Idempotency keys: their owners, and their digests in the ledger."""

from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from scoreboard.domain.digests import Digests
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.web.auth.key_sources import Keys, secrets
from scoreboard.web.auth.tokens import Tokens
from tests.clocks import HeldClock
from tests.harness import SECRET, Running, running
from tests.web.signing import FIRST_SECRET, OTHER_SECRET


def unkeyed(*parts: str) -> UUID:
    """Return the digest without a key, which earlier versions stored and which anyone can compute."""
    return UUID(bytes=blake2b("\0".join(parts).encode(), digest_size=16).digest())


def test_a_server_and_a_user_with_the_same_id_have_separate_keys(scoreboard: Running) -> None:
    trusted = scoreboard.token("ada", scopes=(WRITE_ANY_SCORES,))
    by_server = scoreboard.score("ada", key="1", token=trusted)
    by_user = scoreboard.score("ada", key="1")
    assert (by_server.status_code, by_user.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in by_user.headers
    assert by_user.json()["eventId"] != by_server.json()["eventId"]
    for token, first in ((trusted, by_server), (scoreboard.token("ada"), by_user)):
        repeat = scoreboard.score("ada", key="1", token=token)
        assert repeat.headers["Idempotent-Replayed"] == "true"
        assert repeat.json()["eventId"] == first.json()["eventId"]


def test_digests_in_the_ledger_cannot_be_computed_without_the_secret(scoreboard: Running) -> None:
    scoreboard.score("ada", key="k")
    (event,) = scoreboard.ledger()
    guesses = [("ada", "k"), ("user", "ada", "k"), ("submission", "user", "ada", "k")]
    assert event.idempotency_digest not in {
        *(unkeyed(*guess) for guess in guesses),
        Digests().submission("ada", "k", is_server=False).current,
        Digests([OTHER_SECRET.encode()]).submission("ada", "k", is_server=False).current,
    }


ROTATIONS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "the token secret": (
        {"jwt_secret": FIRST_SECRET},
        {"jwt_secret": OTHER_SECRET, "jwt_old_secrets": FIRST_SECRET},
    ),
    "the token secret, with a separate secret": (
        {"jwt_secret": FIRST_SECRET, "origin_secret": SECRET},
        {"jwt_secret": OTHER_SECRET, "origin_secret": SECRET},
    ),
    "a new separate secret": (
        {"jwt_secret": FIRST_SECRET},
        {"jwt_secret": FIRST_SECRET, "origin_secret": SECRET},
    ),
}


@pytest.mark.parametrize(("before", "after"), ROTATIONS.values(), ids=ROTATIONS.keys())
def test_a_repeat_is_recognised_after_a_secret_rotation(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    clock = HeldClock()
    with running(tmp_path, clock, **before) as server:
        first = server.score(key="k").json()
    with running(tmp_path, clock, **after) as server:
        repeat = server.score(key="k")
        assert repeat.headers["Idempotent-Replayed"] == "true"
        assert repeat.json()["eventId"] == first["eventId"]
        assert server.board()["entries"][0]["score"] == 50


def test_a_proof_counts_once_across_a_secret_rotation(tmp_path: Path) -> None:
    clock = HeldClock()
    proof = Tokens(Keys(secrets(FIRST_SECRET.encode())), clock).sign_proof("ada", "quest", "1")
    body = {"actionId": "quest", "userId": "ada", "proof": proof}
    with running(tmp_path, clock, jwt_secret=FIRST_SECRET) as server:
        headers = {"Authorization": f"Bearer {server.token()}"}
        assert server.client.post("/api/scores", json=body, headers=headers).status_code == 201
    with running(tmp_path, clock, jwt_secret=OTHER_SECRET, jwt_old_secrets=FIRST_SECRET) as server:
        assert (
            server.client.post("/api/scores", json=body, headers=headers).json()["code"] == "proof_redeemed"
        )
