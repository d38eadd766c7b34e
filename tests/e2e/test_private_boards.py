"""Commands at a server whose boards are private."""

import json
from pathlib import Path

from tests.e2e.processes import COMMAND, Process, scoreboard, serving, token

PRIVATE = {"SCOREBOARD_REQUIRE_AUTH_TO_READ": "true"}


def test_watch_and_bench_show_their_token_and_say_what_is_missing(tmp_path: Path) -> None:
    with serving(tmp_path, **PRIVATE) as (_, client):
        url = str(client.base_url)
        assert client.score("ada").status_code == 201

        refused = scoreboard(tmp_path, "watch", url)
        assert refused.returncode == 2
        assert "has no token" in refused.stderr

        watching = Process([*COMMAND, "watch", url], tmp_path, {"SCOREBOARD_TOKEN": token("ada")})
        try:
            assert "ada" in watching.line_with("50")
        finally:
            watching.clean_up()

        measured = scoreboard(tmp_path, "bench", url, "--json", "--streams", "3", "--seconds", "1")
        assert measured.returncode == 0
        assert json.loads(measured.stdout)["streams"] == 3
