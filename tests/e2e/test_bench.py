"""`scoreboard bench`."""

import json
from pathlib import Path

from tests.clocks import HeldClock, clock_for_commands
from tests.e2e.processes import scoreboard
from tests.harness import running


def figures(folder: Path, url: str, *options: str) -> tuple[int, dict[str, float], str]:
    done = scoreboard(folder, "bench", url, "--json", "--seconds", "2", *options)
    found, _, rest = done.stdout.partition("\n}")
    return done.returncode, json.loads(found + "}"), rest + done.stderr


def now() -> HeldClock:
    """Return the time of the command, which signs tokens for the server."""
    return clock_for_commands()


def test_each_stream_gets_each_score(tmp_path: Path) -> None:
    with running(tmp_path, now()) as server:
        code, found, _ = figures(tmp_path, server.url, "--streams", "60", "--rate", "5")
    assert code == 0
    assert (found["streams"], found["streams_lost"]) == (60, 0)
    assert (found["scores_accepted"], found["scores_refused"]) == (10, 0)
    assert (found["events_delivered"], found["events_missed"]) == (600 - found["events_conflated"], 0)
    assert 0 < found["post_p50_ms"] <= found["post_to_last_stream_p50_ms"]
    assert found["post_to_stream_p50_ms"] <= found["post_to_last_stream_p50_ms"]


def test_refused_scores_are_reported_with_a_remedy(tmp_path: Path) -> None:
    with running(tmp_path, now(), rate_limit="1/hour") as server:
        code, found, told = figures(tmp_path, server.url, "--streams", "1", "--rate", "10")
    assert code == 1
    assert (found["scores_accepted"], found["scores_refused"]) == (10, 10)
    assert "429: these users were over the server's limit" in told


def test_another_machine_needs_an_option(tmp_path: Path) -> None:
    done = scoreboard(tmp_path, "bench", "https://scores.example")
    assert done.returncode == 2
    assert "--let-scores-be-written-there" in done.stderr


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    done = scoreboard(tmp_path, "bench", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "A stream of 127.0.0.1:9 cannot be opened" in done.stderr
