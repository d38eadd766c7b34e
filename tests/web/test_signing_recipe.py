"""The server accepts what `docs/recipes/signing.py` signs."""

import runpy
import time
from pathlib import Path

import pytest

from tests.clocks import HeldClock
from tests.harness import SECRET, running

RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "signing.py"


def test_tokens_and_proofs_of_the_recipe_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCOREBOARD_JWT_SECRET", SECRET)
    recipe = runpy.run_path(str(RECIPE))
    clock = HeldClock(time.time_ns() // 1_000)
    with running(tmp_path, clock, jwt_unscoped_may_score=False) as scoreboard:
        own, trusted = recipe["user_token"]("ada", "Ada"), recipe["server_token"]("game")
        assert scoreboard.score("ada", token=own).status_code == 201
        assert scoreboard.score("bob", token=own).status_code == 403
        assert scoreboard.score("bob", token=trusted).status_code == 201
        assert [entry["name"] for entry in scoreboard.board()["entries"]] == ["Ada", "bob"]
        body = {"actionId": "quest", "userId": "ada", "proof": recipe["proof"]("ada", "quest")}
        headers = {"Authorization": f"Bearer {own}"}
        codes = [
            scoreboard.client.post("/api/scores", json=body, headers=headers).status_code for _ in range(2)
        ]
        assert codes == [201, 409]
