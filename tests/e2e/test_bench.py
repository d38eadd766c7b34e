"""`scoreboard bench`: what a user measures of an own deployment."""

import json
from pathlib import Path

import httpx2

from tests.e2e.processes import scoreboard, serving


def figures(folder: Path, client: httpx2.Client, *options: str) -> tuple[int, dict[str, float], str]:
    done = scoreboard(folder, "bench", str(client.base_url), "--json", "--seconds", "2", *options)
    found, _, rest = done.stdout.partition("\n}")
    return done.returncode, json.loads(found + "}"), rest + done.stderr


def test_every_stream_is_seen_to_get_every_score(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, client):
        code, found, _ = figures(tmp_path, client, "--streams", "60", "--rate", "5")
    assert code == 0
    assert (found["streams"], found["streams_lost"]) == (60, 0)
    assert (found["scores_accepted"], found["scores_refused"]) == (10, 0)
    assert (found["events_delivered"], found["events_missed"]) == (600 - found["events_conflated"], 0)
    assert 0 < found["post_p50_ms"] <= found["post_to_last_stream_p50_ms"]
    assert found["post_to_stream_p50_ms"] <= found["post_to_last_stream_p50_ms"]


def test_scores_that_were_refused_are_told_with_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path, SCOREBOARD_RATE_LIMIT="1/hour") as (_, client):
        code, found, told = figures(tmp_path, client, "--streams", "1", "--rate", "10")
    assert code == 1
    assert (found["scores_accepted"], found["scores_refused"]) == (10, 10)
    assert "429: these users were over the server's limit" in told


def test_another_machine_has_to_be_meant(tmp_path: Path) -> None:
    done = scoreboard(tmp_path, "bench", "https://scores.example")
    assert done.returncode == 2
    assert "--let-scores-be-written-there" in done.stderr


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = scoreboard(tmp_path, "bench", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "A stream of 127.0.0.1:9 cannot be opened" in done.stderr
